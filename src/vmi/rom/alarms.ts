/**
 * Counters, alarms and the wallclock. A cycle is a tick of the `apic` clock, 10 ns: the same whatever clock
 * drives the machine. No time is ever stolen, so the real and the available counter are one.
 */
import { ALARMS, LINE_ALARM } from '../../machine/input.js';
import type { Machine } from '../../machine/machine.js';

/** Cycles a second. The ROM's source has the same number. */
export const CYCLES_PER_SECOND = 100_000_000;
const NANOSECONDS_PER_CYCLE = 10n;
const NANOSECONDS_PER_SECOND = 1_000_000_000n;
const TWO_32 = 2 ** 32;

/** In the low 8 bits of SetAlarm's flags: the counter. 2, stolen time, has no alarms. */
const COUNTER = 0xff;
export const COUNTER_REAL = 0;
export const COUNTER_AVAILABLE = 1;
const PERIODIC = 0x100;
/** Wired to the local APIC's timer entry; otherwise to IRQ 0. */
const WIRED_LVTT = 0x10000;

/** One counter's alarm. Times are cycles. */
class Alarm {
  isArmed = false;
  isLvtt = false;
  expiry = 0;
  /** 0 of an alarm that comes once. */
  period = 0;

  /** The first expiry after `now`; of one that is overdue, at once. */
  nextEdge(now: number): number {
    if (!this.isArmed) return Number.POSITIVE_INFINITY;
    if (this.expiry > now) return this.expiry;
    if (this.period === 0) return now + 1;
    return this.expiry + (Math.floor((now - this.expiry) / this.period) + 1) * this.period;
  }
}

/** How many numbers `save` gives. */
export const CLOCK_WORDS = ALARMS * 4 + 1;

export class RomClock {
  readonly #machine: Machine;
  readonly #alarms: readonly Alarm[];
  /** The Unix time, in seconds, of cycle 0; -1 before anyone has asked. */
  #epoch = -1;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#alarms = Array.from({ length: ALARMS }, () => new Alarm());
    this.#alarms.forEach((alarm, counter) => {
      machine.addTimer({
        line: LINE_ALARM + counter,
        nextEdge: (now) => alarm.nextEdge(now),
        edge: () => this.#expire(alarm),
      });
    });
  }

  /** GetCycleCounter: an input, but of stolen time, and of counters that there are not. */
  counter(number: number): number {
    return number === COUNTER_REAL || number === COUNTER_AVAILABLE ? this.#now() : 0;
  }

  /**
   * SetAlarm, which first cancels the counter's last alarm.
   * @param expiry and period in cycles.
   * @returns false where its interrupt can't come: it is wired to an APIC that isn't there.
   */
  set(flags: number, expiry: number, period: number): boolean {
    const alarm = this.#alarmOf(flags);
    if (alarm === null) return true;
    // Who drives the machine learns by this that there is another edge to look for.
    this.#now();
    alarm.isArmed = true;
    alarm.isLvtt = (flags & WIRED_LVTT) !== 0;
    alarm.expiry = expiry;
    alarm.period = flags & PERIODIC ? period : 0;
    return !alarm.isLvtt || this.#machine.apic !== null;
  }

  /** CancelAlarm. @returns whether it was armed. */
  cancel(flags: number): boolean {
    const alarm = this.#alarmOf(flags);
    if (alarm === null) return false;
    this.#now();
    const wasArmed = alarm.isArmed;
    alarm.isArmed = false;
    return wasArmed;
  }

  /** GetWallclockTime: nanoseconds since 1970, to the cycle, and as steady as the counter. */
  wallclock(): bigint {
    const cycles = this.#now();
    if (this.#epoch < 0) {
      const seconds = this.#machine.readClock('rtc');
      this.#epoch = Math.max(0, seconds - Math.floor(cycles / CYCLES_PER_SECOND));
    }
    const since = BigInt(cycles) * NANOSECONDS_PER_CYCLE;
    return BigInt(this.#epoch) * NANOSECONDS_PER_SECOND + since;
  }

  save(): number[] {
    return [
      this.#epoch,
      ...this.#alarms.flatMap(({ isArmed, isLvtt, expiry, period }) => [
        Number(isArmed),
        Number(isLvtt),
        expiry,
        period,
      ]),
    ];
  }

  restore(words: readonly number[]): void {
    this.#epoch = words[0];
    this.#alarms.forEach((alarm, index) => {
      const [isArmed, isLvtt, expiry, period] = words.slice(1 + index * 4);
      alarm.isArmed = isArmed !== 0;
      alarm.isLvtt = isLvtt !== 0;
      alarm.expiry = expiry;
      alarm.period = period;
    });
  }

  #alarmOf(flags: number): Alarm | null {
    return this.#alarms.at(flags & COUNTER) ?? null;
  }

  #now(): number {
    return this.#machine.readClock('apic');
  }

  /** One that comes once is over when it comes, delivered or not. */
  #expire(alarm: Alarm): void {
    // It may have been cancelled while the edge was under way.
    if (!alarm.isArmed) return;
    if (alarm.period === 0) alarm.isArmed = false;
    if (alarm.isLvtt) this.#machine.apic?.fireTimerEntry();
    else this.#machine.pic.pulse(0);
  }
}

/** Two words as one unsigned number. Deviation: beyond 2^53 it is rounded, 2.8 years of cycles away. */
export function unsigned64(low: number, high: number): number {
  return (high >>> 0) * TWO_32 + (low >>> 0);
}
