/**
 * Diversions: throw-away branches of a timeline, in which a debugger may change what it likes. The
 * recorded events end where one begins; from there the virtual clock feeds the machine.
 */
import type { ClockSource } from '../machine/input.js';
import type { Machine } from '../machine/machine.js';
import { type ClockValues, noClockValues } from './checkpoint-record.js';
import { NANOSECONDS_PER_APIC_TICK, nanosecondsOfPitTick } from './clock/guest-time.js';
import { NANOSECONDS_PER_INSTRUCTION, VirtualClock } from './clock/virtual.js';
import { StateDigest } from './digest.js';
import type { TraceEvent } from './event.js';
import { CLOCK_SOURCES } from './event-predictions.js';
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
   * @param first what the clocks gave before these events.
   */
  constructor(
    machine: Machine,
    events: readonly TraceEvent[],
    position: number,
    first: ClocksAt = UNREAD,
  ) {
    this.#machine = machine;
    this.start = machine.cpu.instant;
    this.#events = events.slice(0, position);
    const recorder = new Recorder(
      machine,
      { event: (event) => this.#events.push(event) },
      // The state here may be unlike any that is recorded; a digest of it would cost all of RAM.
      Number.POSITIVE_INFINITY,
    );
    const { nanoseconds, timestamp } = timeAfter(events, position, machine.cpu.instant, first);
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

/** What the clocks gave up to an instant. */
export interface ClocksAt {
  readonly at: Instant;
  readonly clocks: ClockValues;
}

const UNREAD: ClocksAt = { at: 0, clocks: noClockValues() };

/**
 * Guest time at an instant as far as the events before it show: in nanoseconds, and the least that the
 * time-stamp counter may show. Neither is behind what the guest has read.
 * @param position how many of the events lie before the instant.
 */
export function timeAfter(
  events: readonly TraceEvent[],
  position: number,
  instant: Instant,
  before: ClocksAt = UNREAD,
): { readonly nanoseconds: number; readonly timestamp: number } {
  let nanoseconds: number | null = null;
  let timestamp: number | null = null;
  for (const { source, value, at } of readsBackward(events, position, before)) {
    // What was slept through since left no mark here.
    const since = (instant - at) * NANOSECONDS_PER_INSTRUCTION;
    if (source === 'pit') nanoseconds ??= nanosecondsOfPitTick(value) + since;
    if (source === 'apic') nanoseconds ??= value * NANOSECONDS_PER_APIC_TICK + since;
    if (source === 'tsc') timestamp ??= value;
    if (nanoseconds !== null && timestamp !== null) break;
  }
  return {
    nanoseconds: nanoseconds ?? instant * NANOSECONDS_PER_INSTRUCTION,
    timestamp: timestamp ?? 0,
  };
}

/** What the clocks gave, the latest first. */
function* readsBackward(
  events: readonly TraceEvent[],
  position: number,
  before: ClocksAt,
): Generator<{ readonly source: ClockSource; readonly value: number; readonly at: Instant }> {
  const first = Math.max(0, position - EVENTS_MOST);
  for (let index = position - 1; index >= first; index--) {
    const event = events[index];
    if (event.kind === 'clock') yield event;
  }
  for (const source of CLOCK_SOURCES) {
    const value = before.clocks[source];
    if (value !== null) yield { source, value, at: before.at };
  }
}
