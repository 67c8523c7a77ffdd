/**
 * The host clock: guest time is the host's, from when the clock was attached. The time-stamp counter
 * runs at a nominal 1 GHz.
 *
 * The host's time is looked at about every 0.2 ms, not at each step: the source learns how many steps
 * the machine takes in that time. Timer edges that were missed meanwhile are not made up for beyond
 * one. Guest time never goes backward, whatever the host's does.
 */
import type { ClockSource } from '../../machine/input.js';
import type { Machine } from '../../machine/machine.js';
import type { Instant } from '../instant.js';
import { apicTicksAt, pitTicksAt, secondsAt } from './guest-time.js';
import type { IdleResult, InputDoor, LiveSource } from './live-source.js';
import { type Slot, TimerBank, timersOf } from './timer-bank.js';

const SAMPLE_NANOSECONDS = 200_000;
const STEPS_LEAST = 1000;
const STEPS_MOST = 4_000_000;

/** How a host clock behaves. */
export interface HostClockOptions {
  /** The host's time in whole nanoseconds from any start. */
  readonly now: () => number;
  /** The Unix time that the RTC shows when the clock is attached. */
  readonly epochSeconds: number;
  /**
   * A halted processor sleeps through to the next timer edge at once, and does not wait for the host:
   * for a debugger, whose steps can't wait.
   */
  readonly skipsIdle?: boolean;
}

/** Guest time from the host's. */
export class HostClock implements LiveSource {
  readonly #options: HostClockOptions;
  #machine!: Machine;
  #inject: InputDoor = () => undefined;
  #bank!: TimerBank;
  /** Guest time is the host's time less this. */
  #origin = 0;
  #last = 0;
  #pausedAt: number | null = null;
  #isStale = true;
  #steps = STEPS_LEAST;
  #polledInstant: Instant = 0;
  #polledTime = 0;
  /** When the edge that a halted processor waits for is due. */
  #wakeAt = 0;

  constructor(options: HostClockOptions) {
    this.#options = options;
  }

  attach(machine: Machine, inject: InputDoor): void {
    this.#machine = machine;
    this.#inject = inject;
    this.#origin = this.#options.now();
    this.#bank = new TimerBank(timersOf(machine), 0);
    this.#polledInstant = machine.cpu.instant;
  }

  get waitNanoseconds(): number {
    return Math.max(0, this.#wakeAt - this.#now());
  }

  nextInstant(): Instant {
    return this.#machine.cpu.instant + this.#steps;
  }

  poll(): void {
    const now = this.#now();
    this.#adapt(now);
    if (this.#isStale) this.#refresh();
    for (const slot of this.#bank.slots) if (slot.due <= now) this.#fire(slot, now);
  }

  readClock(source: ClockSource): number {
    const now = this.#now();
    if (source === 'tsc') return now;
    // Whoever programs a timer asks for the time of its start; its first edge may be near.
    this.#isStale = true;
    this.#machine.cpu.requestStop();
    if (source === 'pit') return pitTicksAt(now);
    return source === 'apic' ? apicTicksAt(now) : this.#options.epochSeconds + secondsAt(now);
  }

  idle(): IdleResult {
    if (this.#isStale) this.#refresh();
    const slot = this.#bank.nextWaking(this.#machine.cpu.instant);
    this.#wakeAt = slot?.due ?? Number.POSITIVE_INFINITY;
    if (slot === null) return 'forever';
    const wait = slot.due - this.#now();
    if (wait > 0) {
      if (this.#options.skipsIdle !== true) return 'wait';
      this.#origin -= wait;
    }
    this.#fire(slot, this.#now());
    return 'advanced';
  }

  pause(): void {
    this.#pausedAt ??= this.#options.now();
  }

  resume(): void {
    if (this.#pausedAt === null) return;
    this.#origin += Math.max(0, this.#options.now() - this.#pausedAt);
    this.#pausedAt = null;
    this.#polledInstant = this.#machine.cpu.instant;
    this.#polledTime = this.#now();
  }

  #now(): number {
    this.#last = Math.max(this.#last, (this.#pausedAt ?? this.#options.now()) - this.#origin);
    return this.#last;
  }

  /** Sets how many steps come before the next look, from how long the last ones took. */
  #adapt(now: number): void {
    const { instant } = this.#machine.cpu;
    const steps = instant - this.#polledInstant;
    // Short runs, cut by an event, say little.
    if (steps * 2 < this.#steps) return;
    const time = Math.max(1, now - this.#polledTime);
    const wanted = Math.floor((steps * SAMPLE_NANOSECONDS) / time);
    const bounded = Math.min(Math.max(wanted, this.#steps >> 1), this.#steps * 2);
    this.#steps = Math.min(Math.max(bounded, STEPS_LEAST), STEPS_MOST);
    this.#polledInstant = instant;
    this.#polledTime = now;
  }

  #refresh(): void {
    this.#isStale = false;
    for (const slot of this.#bank.slots) {
      slot.nominal = slot.timer.nextEdge(slot.handled);
      slot.due = slot.nominal;
    }
  }

  #fire(slot: Slot, now: number): void {
    slot.firedAt = this.#machine.cpu.instant;
    slot.handled = now;
    this.#inject({ kind: 'irq', line: slot.timer.line });
    this.#refresh();
  }
}
