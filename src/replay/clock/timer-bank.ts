/**
 * The machine's timers as a source of time sees them: when each one's next edge is due, and which
 * edges a halted processor has slept through.
 *
 * An edge that comes due while the one before it was not injected yet is lost: a source never makes up
 * for more than one edge of a timer, as the interrupt controller wouldn't remember more either.
 */
import { LINE_APIC_TIMER } from '../../machine/input.js';
import type { Machine } from '../../machine/machine.js';
import type { Instant } from '../instant.js';
import {
  apicTicksAt,
  NANOSECONDS_PER_APIC_TICK,
  nanosecondsOfPitTick,
  pitTicksAt,
} from './guest-time.js';

/** One timer's interrupt line and its edges. */
export interface Timer {
  readonly line: number;
  /** The time in nanoseconds of its first edge after a time; Infinity where there is none. */
  nextEdge(after: number): number;
}

/**
 * The timers of a machine: channel 0 of the 8254 on line 0, the RTC's periodic interrupt on line 8, the
 * local APIC's where there is one, and those that were added.
 */
export function timersOf(machine: Machine): readonly Timer[] {
  const { pit, rtc, apic } = machine;
  const timers = [timer(0, pit), timer(8, rtc)];
  if (apic !== null) timers.push(apicClocked(LINE_APIC_TIMER, apic));
  return [...timers, ...machine.timers.map((added) => apicClocked(added.line, added))];
}

function apicClocked(line: number, chip: { nextEdge(now: number): number }): Timer {
  const nextEdge = (after: number): number =>
    chip.nextEdge(apicTicksAt(after)) * NANOSECONDS_PER_APIC_TICK;
  return { line, nextEdge };
}

/** The two chips give their edges in ticks of the 8254. */
function timer(line: number, chip: { nextEdge(now: number): number }): Timer {
  return { line, nextEdge: (after) => nanosecondsOfPitTick(chip.nextEdge(pitTicksAt(after))) };
}

/** A timer and the state of its edges. Times are in nanoseconds of guest time. */
export interface Slot {
  readonly timer: Timer;
  /** Edges up to here were injected, or are lost. */
  handled: number;
  /** The next edge after `handled`, as the chip will make it; Infinity where there is none. */
  nominal: number;
  /** When a source that moves edges about will inject it. */
  due: number;
  /** The instant at which it was injected last. */
  firedAt: Instant;
}

/** The timers of one machine. */
export class TimerBank {
  readonly slots: readonly Slot[];

  constructor(timers: readonly Timer[], now: number) {
    this.slots = timers.map((timer) => ({
      timer,
      handled: now,
      nominal: Number.POSITIVE_INFINITY,
      due: Number.POSITIVE_INFINITY,
      firedAt: -1,
    }));
  }

  /** The timer whose next edge is due first, the lowest line first where two are. */
  earliest(): Slot {
    let first = this.slots[0];
    for (const slot of this.slots) if (slot.due < first.due) first = slot;
    return first;
  }

  /**
   * The next edge that may wake a processor that has been halted since `instant`; null where none can.
   * A line that rose while it slept and didn't wake it is masked or held up by another one, and stays
   * so, since only the processor could change that.
   */
  nextWaking(instant: Instant): Slot | null {
    let first: Slot | null = null;
    for (const slot of this.slots) {
      if (slot.firedAt === instant || slot.due === Number.POSITIVE_INFINITY) continue;
      if (first === null || slot.due < first.due) first = slot;
    }
    return first;
  }
}
