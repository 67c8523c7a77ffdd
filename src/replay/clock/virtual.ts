/**
 * The virtual clock: guest time is a function of what the guest has done, so a run repeats without a
 * trace.
 *
 * Each retired instruction takes 10 ns (the time-stamp counter runs at 100 MHz). A halted processor
 * sleeps through to the next timer edge at once; what was slept through is added. A timer's edge is
 * injected at the first boundary at which guest time has reached it.
 */
import type { ClockSource } from '../../machine/input.js';
import type { Machine } from '../../machine/machine.js';
import type { Instant } from '../instant.js';
import { apicTicksAt, pitTicksAt, secondsAt, VIRTUAL_EPOCH_SECONDS } from './guest-time.js';
import type { IdleResult, InputDoor, LiveSource } from './live-source.js';
import { type Slot, TimerBank, timersOf } from './timer-bank.js';

/** What a retired instruction takes. */
export const NANOSECONDS_PER_INSTRUCTION = 10;

/** Guest time from retired instructions. The random clock differs in `schedule` and `isDue` alone. */
export class VirtualClock implements LiveSource {
  /** It never waits for the host, so only others can wake whom it can't. */
  readonly waitNanoseconds = Number.POSITIVE_INFINITY;
  protected machine!: Machine;
  protected bank!: TimerBank;
  /** Guest time that no instruction took: slept through, or before this clock was attached. */
  #skipped: number;
  #inject: InputDoor = () => undefined;
  /** The guest may have programmed a timer since the edges were worked out. */
  #isStale = true;
  /** Added to the time-stamp counter. */
  readonly #timestampOffset: number;

  /**
   * @param startNanoseconds guest time when the clock is attached.
   * @param timestamp the least that the time-stamp counter shows then.
   */
  constructor(startNanoseconds = 0, timestamp = 0) {
    this.#skipped = roundUp(startNanoseconds);
    this.#timestampOffset = Math.max(0, timestamp - this.#skipped / NANOSECONDS_PER_INSTRUCTION);
  }

  attach(machine: Machine, inject: InputDoor): void {
    this.machine = machine;
    this.#inject = inject;
    this.#skipped -= machine.cpu.retired * NANOSECONDS_PER_INSTRUCTION;
    this.bank = new TimerBank(timersOf(machine), this.now);
  }

  /** Guest time in nanoseconds. */
  get now(): number {
    return this.machine.cpu.retired * NANOSECONDS_PER_INSTRUCTION + this.#skipped;
  }

  nextInstant(): Instant {
    const wait = this.bank.earliest().due - this.now;
    // Steps that retire nothing take no time: then this falls short, and is asked again.
    return this.machine.cpu.instant + Math.max(1, Math.ceil(wait / NANOSECONDS_PER_INSTRUCTION));
  }

  poll(): void {
    const { now } = this;
    if (this.#isStale) this.#refresh(now);
    for (const slot of this.bank.slots) {
      if (!this.isDue(slot, now)) continue;
      // A timer may be stopped without anyone asking for the time.
      this.#refresh(now);
      if (slot.due <= now) this.#fire(slot, now);
    }
  }

  readClock(source: ClockSource, isLook: boolean): number {
    const { now } = this;
    if (source === 'tsc') return now / NANOSECONDS_PER_INSTRUCTION + this.#timestampOffset;
    if (!isLook) {
      // Whoever programs a timer asks for the time of its start.
      this.#isStale = true;
      this.machine.cpu.requestStop();
    }
    if (source === 'pit') return pitTicksAt(now);
    return source === 'apic' ? apicTicksAt(now) : VIRTUAL_EPOCH_SECONDS + secondsAt(now);
  }

  idle(): IdleResult {
    if (this.#isStale) this.#refresh(this.now);
    const slot = this.bank.nextWaking(this.machine.cpu.instant);
    if (slot === null) return 'forever';
    this.#skipped += Math.max(0, roundUp(slot.due - this.now));
    this.#fire(slot, this.now);
    return 'advanced';
  }

  pause(): void {
    // Time stands still by itself.
  }

  resume(): void {
    // As above.
  }

  /** When the slot's nominal edge is injected. */
  protected schedule(slot: Slot, now: number): number {
    return Math.max(slot.nominal, now);
  }

  /** Whether the slot's edge is injected at this boundary. */
  protected isDue(slot: Slot, now: number): boolean {
    return slot.due <= now;
  }

  /** The slot's edge is being injected. */
  protected fired(slot: Slot): void {
    slot.firedAt = this.machine.cpu.instant;
  }

  #refresh(now: number): void {
    this.#isStale = false;
    for (const slot of this.bank.slots) {
      const nominal = slot.timer.nextEdge(slot.handled);
      if (nominal === slot.nominal) continue;
      slot.nominal = nominal;
      slot.due = nominal === Number.POSITIVE_INFINITY ? nominal : this.schedule(slot, now);
    }
  }

  #fire(slot: Slot, now: number): void {
    slot.handled = Math.max(now, slot.nominal);
    this.fired(slot);
    this.#inject({ kind: 'irq', line: slot.timer.line });
    this.#refresh(now);
  }
}

/** Guest time advances by whole instructions. */
function roundUp(nanoseconds: number): number {
  return Math.ceil(nanoseconds / NANOSECONDS_PER_INSTRUCTION) * NANOSECONDS_PER_INSTRUCTION;
}
