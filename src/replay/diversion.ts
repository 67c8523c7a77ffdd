/**
 * Diversions: throw-away branches of a timeline, in which a debugger may change what it likes. The
 * recorded events end where one begins; from there the virtual clock feeds the machine.
 */
import type { Machine } from '../machine/machine.js';
import { nanosecondsOfPitTick } from './clock/guest-time.js';
import { NANOSECONDS_PER_INSTRUCTION, VirtualClock } from './clock/virtual.js';
import type { TraceEvent } from './event.js';
import type { Instant } from './instant.js';
import { Session } from './session.js';

/** How far back the last clock reads are looked for. */
const EVENTS_MOST = 100_000;

/**
 * Lets the machine go on from its present state without a past: nothing is recorded, and no clock runs
 * backward.
 * @param position how many of the events lie before the present state.
 */
export function divert(machine: Machine, events: readonly TraceEvent[], position: number): Session {
  const { nanoseconds, timestamp } = timeAfter(events, position, machine.cpu.instant);
  return new Session(machine, new VirtualClock(nanoseconds, timestamp));
}

/**
 * Guest time at an instant as far as the events before it show: in nanoseconds, and the least that the
 * time-stamp counter may show. Neither is behind what the guest has read.
 * @param position how many of the events lie before the instant.
 */
export function timeAfter(
  events: readonly TraceEvent[],
  position: number,
  instant: Instant,
): { readonly nanoseconds: number; readonly timestamp: number } {
  let nanoseconds: number | null = null;
  let timestamp: number | null = null;
  const first = Math.max(0, position - EVENTS_MOST);
  for (let index = position - 1; index >= first; index--) {
    const event = events[index];
    if (event.kind !== 'clock') continue;
    // What was slept through since left no mark here.
    const since = (instant - event.at) * NANOSECONDS_PER_INSTRUCTION;
    if (event.source === 'pit') nanoseconds ??= nanosecondsOfPitTick(event.value) + since;
    if (event.source === 'tsc') timestamp ??= event.value;
    if (nanoseconds !== null && timestamp !== null) break;
  }
  return {
    nanoseconds: nanoseconds ?? instant * NANOSECONDS_PER_INSTRUCTION,
    timestamp: timestamp ?? 0,
  };
}
