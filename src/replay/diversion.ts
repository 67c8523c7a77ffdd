/**
 * Diversions: throw-away branches of a timeline, in which a debugger may change what it likes. The
 * recorded events end where one begins; from there the virtual clock feeds the machine.
 */
import type { Machine } from '../machine/machine.js';
import { NANOSECONDS_PER_APIC_TICK, nanosecondsOfPitTick } from './clock/guest-time.js';
import { NANOSECONDS_PER_INSTRUCTION, VirtualClock } from './clock/virtual.js';
import { StateDigest } from './digest.js';
import type { TraceEvent } from './event.js';
import type { Instant } from './instant.js';
import { Recorder } from './recorder.js';
import { Session } from './session.js';

/** How far back the last clock reads are looked for. */
const EVENTS_MOST = 100_000;

/** One throw-away branch, from its start on. */
export class Diversion {
  /** The instant at which it began. */
  readonly start: Instant;
  /** The live run that drives the machine. */
  readonly session: Session;
  /**
   * True when something was changed that no trace can hold: a register, or memory. Set by whoever does
   * it.
   */
  isEdited = false;
  readonly #machine: Machine;
  readonly #events: TraceEvent[];

  /**
   * Lets the machine go on from its present state without a past; no clock runs backward.
   * @param position how many of the events lie before the present state.
   */
  constructor(machine: Machine, events: readonly TraceEvent[], position: number) {
    this.#machine = machine;
    this.start = machine.cpu.instant;
    this.#events = events.slice(0, position);
    const recorder = new Recorder(
      machine,
      { event: (event) => this.#events.push(event) },
      // The state here may be unlike any that is recorded; a digest of it would cost all of RAM.
      Number.POSITIVE_INFINITY,
    );
    const { nanoseconds, timestamp } = timeAfter(events, position, machine.cpu.instant);
    const clock = new VirtualClock(nanoseconds, timestamp);
    this.session = new Session(machine, clock, { recorder });
  }

  /**
   * All that happened from the beginning of time to the present instant, with an end, as a trace has it.
   * @throws Error when `isEdited`.
   */
  recording(): TraceEvent[] {
    if (this.isEdited) throw new Error('what a debugger changed is in no trace');
    const events = [...this.#events];
    if (events.at(-1)?.kind === 'end') return events;
    const at = this.#machine.cpu.instant;
    const digest = new StateDigest(this.#machine).compute();
    return [...events, { kind: 'end', at, outcome: { kind: 'interrupted' }, digest }];
  }
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
    if (event.source === 'apic') nanoseconds ??= event.value * NANOSECONDS_PER_APIC_TICK + since;
    if (event.source === 'tsc') timestamp ??= event.value;
    if (nanoseconds !== null && timestamp !== null) break;
  }
  return {
    nanoseconds: nanoseconds ?? instant * NANOSECONDS_PER_INSTRUCTION,
    timestamp: timestamp ?? 0,
  };
}
