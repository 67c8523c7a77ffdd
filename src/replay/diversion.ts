/**
 * Diversions: throw-away branches of a timeline, in which a debugger may change what it likes. The
 * recorded events end where one begins; from there the virtual clock feeds the machine.
 */
import type { Machine } from '../machine/machine.js';
import { nanosecondsOfPitTick } from './clock/guest-time.js';
import { NANOSECONDS_PER_INSTRUCTION, VirtualClock } from './clock/virtual.js';
import type { TraceEvent } from './event.js';
import { Session } from './session.js';

/** How far back the last clock reads are looked for. */
const EVENTS_MOST = 100_000;

/**
 * Lets the machine go on from its present state without a past: nothing is recorded. Guest time goes on
 * from the last that the recorded events show, so that no clock runs backward.
 * @param position how many of the events lie before the present state.
 */
export function divert(machine: Machine, events: readonly TraceEvent[], position: number): Session {
  const { instant } = machine.cpu;
  let nanoseconds: number | null = null;
  let timestamp: number | null = null;
  const first = Math.max(0, position - EVENTS_MOST);
  for (let index = position - 1; index >= first; index--) {
    const event = events[index];
    if (event.kind !== 'clock') continue;
    // No step since took longer than a retired instruction, but for sleep, which left no mark here.
    const since = (instant - event.at) * NANOSECONDS_PER_INSTRUCTION;
    if (event.source === 'pit') nanoseconds ??= nanosecondsOfPitTick(event.value) + since;
    if (event.source === 'tsc') timestamp ??= event.value;
    if (nanoseconds !== null && timestamp !== null) break;
  }
  const start = nanoseconds ?? instant * NANOSECONDS_PER_INSTRUCTION;
  return new Session(machine, new VirtualClock(start, timestamp ?? 0));
}
