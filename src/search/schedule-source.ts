/**
 * Feeds a machine from a schedule, whatever state its inputs find it in.
 *
 * Clocks: as long as the guest asks for the same clocks at the same instants as in the recorded past, it
 * gets the recorded answers; from the first other question on, time goes by as under the virtual clock.
 * A halted guest is not kept waiting: the next input of the schedule comes at once.
 */
import type { ClockSource } from '../machine/input.js';
import type { Machine } from '../machine/machine.js';
import { secondsAt, VIRTUAL_EPOCH_SECONDS } from '../replay/clock/guest-time.js';
import type { IdleResult, InputDoor, LiveSource } from '../replay/clock/live-source.js';
import { VirtualClock } from '../replay/clock/virtual.js';
import { timeAfter } from '../replay/diversion.js';
import type { Instant } from '../replay/instant.js';
import type { RecordedPast, ScheduledInput } from './schedule.js';

/**
 * What comes behind the last input of a schedule. `idle`: a halted guest is woken by the timers that it
 * has programmed, one that runs is left alone. `timers`: they tick on. `nothing`: nothing.
 */
export const FEEDS = ['idle', 'timers', 'nothing'] as const;
export type Feed = (typeof FEEDS)[number];

/** Where in a recorded past a run begins. */
export interface Branch {
  /** How many of the past's clock reads lie before it. */
  readonly reads: number;
}

export const FROM_RESET: Branch = { reads: 0 };

/** A live source over a schedule. */
export class ScheduleSource implements LiveSource {
  /** Nothing here waits for the host. */
  readonly waitNanoseconds = Number.POSITIVE_INFINITY;
  readonly #past: RecordedPast;
  readonly #schedule: readonly ScheduledInput[];
  readonly #feed: Feed;
  #machine!: Machine;
  #inject: InputDoor = () => undefined;
  #next = 0;
  #reads: number;
  #hasDeparted = false;
  #clock: VirtualClock | null = null;
  #rtcOffset = 0;

  /** @param schedule the inputs from the machine's present instant on. */
  constructor(past: RecordedPast, schedule: readonly ScheduledInput[], feed: Feed, branch: Branch) {
    this.#past = past;
    this.#schedule = schedule;
    this.#feed = feed;
    this.#reads = branch.reads;
  }

  attach(machine: Machine, inject: InputDoor): void {
    this.#machine = machine;
    this.#inject = inject;
  }

  nextInstant(): Instant {
    if (this.#next < this.#schedule.length) return this.#schedule[this.#next].at;
    return this.#feed === 'timers' ? this.#virtual.nextInstant() : Number.POSITIVE_INFINITY;
  }

  poll(): void {
    while (this.#next < this.#schedule.length) {
      const { at, input } = this.#schedule[this.#next];
      if (at > this.#machine.cpu.instant) return;
      this.#next += 1;
      this.#inject(input);
    }
    if (this.#feed === 'timers') this.#virtual.poll();
  }

  readClock(source: ClockSource, isLook: boolean): number {
    if (!this.#hasDeparted && this.#reads < this.#past.reads.length) {
      const { event } = this.#past.reads[this.#reads];
      if (event.source === source && event.at === this.#machine.cpu.instant) {
        this.#reads += 1;
        return event.value;
      }
    }
    const value = this.#virtual.readClock(source, isLook);
    return source === 'rtc' ? value + this.#rtcOffset : value;
  }

  idle(): IdleResult {
    if (this.#next < this.#schedule.length) {
      const { input } = this.#schedule[this.#next];
      this.#next += 1;
      this.#inject(input);
      return 'advanced';
    }
    return this.#feed === 'nothing' ? 'forever' : this.#virtual.idle();
  }

  pause(): void {
    // Guest time stands still by itself.
  }

  resume(): void {
    // As above.
  }

  /** The clock that goes on where the recorded answers end. */
  get #virtual(): VirtualClock {
    if (this.#clock !== null) return this.#clock;
    this.#hasDeparted = true;
    const { events, reads, begin } = this.#past;
    const position = this.#reads === 0 ? 0 : reads[this.#reads - 1].place + 1;
    const { nanoseconds, timestamp } = timeAfter(
      events,
      position,
      this.#machine.cpu.instant,
      begin,
    );
    const rtc = reads.slice(0, this.#reads).findLast(({ event }) => event.source === 'rtc')?.event;
    if (rtc !== undefined) {
      this.#rtcOffset = Math.max(0, rtc.value - VIRTUAL_EPOCH_SECONDS - secondsAt(nanoseconds));
    }
    this.#clock = new VirtualClock(nanoseconds, timestamp);
    this.#clock.attach(this.#machine, this.#inject);
    return this.#clock;
  }
}
