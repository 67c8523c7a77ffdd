/**
 * The host clock: guest time follows the host's, from when the clock was attached. The time-stamp counter
 * runs at a nominal 1 GHz.
 *
 * The host's time is looked at about every 0.5 ms, not at each step: the source learns how many steps
 * the machine takes in that time. In between guest time goes on with the steps, at the pace that was
 * learned. So what a guest measures (its time-stamp counter against its timer, as kernels do) comes out
 * right even where other work takes the host's processor away meanwhile: guest time then lags, and makes
 * up for it by going half as fast again, or at once while the processor is halted. A lag of more than a
 * second is not made up for: guest time jumps. It never goes backward, whatever the host's does. Timer
 * edges that were missed are not made up for beyond one.
 */
import type { ClockSource } from '../../machine/input.js';
import type { Machine } from '../../machine/machine.js';
import type { Instant } from '../instant.js';
import { apicTicksAt, pitTicksAt, secondsAt } from './guest-time.js';
import type { IdleResult, InputDoor, LiveSource } from './live-source.js';
import { type Slot, TimerBank, timersOf } from './timer-bank.js';

/** A look takes some 5 us, with all that has the machine stop and go on: a hundredth of this. */
const SAMPLE_NANOSECONDS = 500_000;
/** A lag is made up for in about this time, where the bounds of the pace allow it. */
const CATCH_UP_NANOSECONDS = 5_000_000;
/** How far the pace is bent to make up for a lag, and for being ahead. */
const BEND = 0.5;
const LAG_MOST = 1_000_000_000;
/** The pace before anything was learned: nanoseconds for a step. */
const FIRST_PACE = 30;
/** How much the pace may rise and fall from one look to the next: an interruption is no pace. */
const PACE_RISE = 2;
const PACE_FALL = 1 / 4;
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
  /** Where guest time aims: the host's time less this. */
  #origin = 0;
  #aim = 0;
  /** Guest time was `#anchorTime` at `#anchorInstant`, and has gone on with `#rate` a step since. */
  #anchorInstant: Instant = 0;
  #anchorTime = 0;
  #rate = FIRST_PACE;
  #pausedAt: number | null = null;
  #isStale = true;
  /** What a step takes of the host's time, and so many make a sample. */
  #pace = FIRST_PACE;
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
    this.#anchorInstant = machine.cpu.instant;
    this.#polledInstant = machine.cpu.instant;
  }

  get waitNanoseconds(): number {
    return Math.max(0, this.#wakeAt - this.#look());
  }

  nextInstant(): Instant {
    const untilEdge = Math.ceil((this.#bank.earliest().due - this.#time()) / this.#rate);
    return this.#machine.cpu.instant + Math.max(1, Math.min(this.#steps, untilEdge));
  }

  poll(): void {
    this.#steer();
    const now = this.#time();
    if (this.#isStale) this.#refresh();
    for (const slot of this.#bank.slots) if (slot.due <= now) this.#fire(slot, now);
  }

  readClock(source: ClockSource, isLook: boolean): number {
    const now = this.#time();
    if (source === 'tsc') return now;
    if (!isLook) {
      // Whoever programs a timer asks for the time of its start; its first edge may be near.
      this.#isStale = true;
      this.#machine.cpu.requestStop();
    }
    if (source === 'pit') return pitTicksAt(now);
    return source === 'apic' ? apicTicksAt(now) : this.#options.epochSeconds + secondsAt(now);
  }

  idle(): IdleResult {
    if (this.#isStale) this.#refresh();
    const slot = this.#bank.nextWaking(this.#machine.cpu.instant);
    this.#wakeAt = slot?.due ?? Number.POSITIVE_INFINITY;
    if (slot === null) return 'forever';
    const wait = slot.due - Math.max(this.#look(), this.#time());
    if (wait > 0) {
      if (this.#options.skipsIdle !== true) return 'wait';
      this.#origin -= wait;
    }
    this.#wake();
    this.#fire(slot, this.#time());
    return 'advanced';
  }

  pause(): void {
    this.#pausedAt ??= this.#options.now();
  }

  resume(): void {
    if (this.#pausedAt === null) return;
    this.#origin += Math.max(0, this.#options.now() - this.#pausedAt);
    this.#pausedAt = null;
    this.#restart();
  }

  /** The time that guest time follows; never less than it was. */
  #look(): number {
    this.#aim = Math.max(this.#aim, (this.#pausedAt ?? this.#options.now()) - this.#origin);
    return this.#aim;
  }

  /** Guest time at the present instant, in whole nanoseconds. */
  #time(): number {
    const steps = this.#machine.cpu.instant - this.#anchorInstant;
    return Math.floor(this.#anchorTime + steps * this.#rate);
  }

  /** Guest time goes on from here with another rate. */
  #anchor(time: number, rate: number): void {
    this.#anchorTime = time;
    this.#anchorInstant = this.#machine.cpu.instant;
    this.#rate = rate;
  }

  /** Has guest time approach the host's. */
  #steer(): void {
    const aim = this.#look();
    this.#learn(aim);
    const time = this.#time();
    const lag = aim - time;
    const bend = Math.min(BEND, Math.max(-BEND, lag / CATCH_UP_NANOSECONDS));
    this.#anchor(lag > LAG_MOST ? aim : time, this.#pace * (1 + bend));
  }

  /** Learns from how long the last steps took. */
  #learn(aim: number): void {
    const { instant } = this.#machine.cpu;
    const steps = instant - this.#polledInstant;
    const elapsed = aim - this.#polledTime;
    // Short runs, cut by an event, say little.
    if (steps === 0 || (steps * 2 < this.#steps && elapsed < 2 * SAMPLE_NANOSECONDS)) return;
    const pace = Math.max(elapsed, 1) / steps;
    this.#pace = Math.min(this.#pace * PACE_RISE, Math.max(this.#pace * PACE_FALL, pace));
    const wanted = Math.floor(SAMPLE_NANOSECONDS / this.#pace);
    this.#steps = Math.min(Math.max(wanted, STEPS_LEAST), STEPS_MOST);
    this.#restart();
  }

  /** What was learned is kept; the next lesson begins here. */
  #restart(): void {
    this.#polledInstant = this.#machine.cpu.instant;
    this.#polledTime = this.#look();
  }

  /** The processor was halted: guest time is the host's again. */
  #wake(): void {
    this.#anchor(Math.max(this.#look(), this.#time()), this.#pace);
    this.#restart();
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
