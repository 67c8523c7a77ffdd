/**
 * Diversions: throw-away branches of a timeline, in which a debugger may change what it likes. The
 * recorded events end where one begins; from there the virtual clock feeds the machine.
 */
import type { ClockSource } from '../machine/input.js';
import type { Machine } from '../machine/machine.js';
import { type CheckpointRecord, type ClockValues, noClockValues } from './checkpoint-record.js';
import { NANOSECONDS_PER_APIC_TICK, nanosecondsOfPitTick } from './clock/guest-time.js';
import { NANOSECONDS_PER_INSTRUCTION, VirtualClock } from './clock/virtual.js';
import { StateDigest } from './digest.js';
import type { TraceEvent } from './event.js';
import type { EventList } from './event-list.js';
import { CLOCK_SOURCES } from './event-predictions.js';
import type { Instant } from './instant.js';
import { Recorder } from './recorder.js';
import { Session, type SessionExit } from './session.js';

/** How far back the last clock reads are looked for. */
const EVENTS_MOST = 100_000;

/** One throw-away branch, from its start on. */
export class Diversion {
  /** The instant at which it began. */
  readonly start: Instant;
  /** The live run that drives the machine. */
  readonly session: Session;
  readonly #machine: Machine;
  readonly #past: DiversionPast;
  /** How many of the timeline's events came before it; none where `#first` came later. */
  #position: number;
  readonly #before: EventList;
  /** Its own events, or those since `#first`. */
  #events: TraceEvent[] = [];
  /** The state behind the last edit that something came after; null where nothing was edited. */
  #first: CheckpointRecord | null;
  /** Something was edited, and the machine has not run since. */
  #isEdited = false;

  /**
   * Lets the machine go on from its present state without a past; no clock runs backward.
   * @param position how many of the events lie before the present state.
   */
  constructor(
    machine: Machine,
    events: EventList,
    position: number,
    past: DiversionPast = NO_PAST,
  ) {
    this.#machine = machine;
    this.#past = past;
    this.#first = past.first;
    this.start = machine.cpu.instant;
    this.#before = events;
    this.#position = position;
    const recorder = new Recorder(
      machine,
      { event: (event) => void this.#events.push(event) },
      // The state here may be unlike any that is recorded; a digest of it would cost all of RAM.
      Number.POSITIVE_INFINITY,
    );
    const { nanoseconds, timestamp } = timeAfter(
      events,
      position,
      machine.cpu.instant,
      past.first ?? UNREAD,
    );
    const clock = new VirtualClock(nanoseconds, timestamp);
    this.session = new Session(machine, clock, { recorder });
  }

  /**
   * To be told of each change that a debugger makes to registers or memory. It is no event: a recording
   * can only start behind it.
   */
  noteEdit(): void {
    this.#isEdited = true;
  }

  /** As `Session.advance`. */
  advance(until: Instant, skipBreakpointHere: boolean): SessionExit {
    this.#startBehindEdit();
    return this.session.advance(until, skipBreakpointHere);
  }

  /**
   * All that happened to the present instant, with an end, as a trace has it: from the beginning of time,
   * or from the state behind the last edit on.
   */
  recording(): Recording {
    this.#startBehindEdit();
    const first = this.#first;
    const events = [...this.#before.slice(0, this.#position), ...this.#events];
    if (events.at(-1)?.kind === 'end') return { first, events };
    const at = this.#machine.cpu.instant;
    const digest = new StateDigest(this.#machine).compute();
    return { first, events: [...events, { kind: 'end', at, outcome: INTERRUPTED, digest }] };
  }

  #startBehindEdit(): void {
    if (!this.#isEdited) return;
    this.#isEdited = false;
    const machine = this.#machine;
    const clocks: Record<ClockSource, number | null> = noClockValues();
    const before = this.#first ?? UNREAD;
    const earlier = readsBackward(this.#before, this.#position, readsOf(before));
    for (const { source, value } of readsBackward(this.#events, this.#events.length, earlier)) {
      clocks[source] ??= value;
    }
    this.#first = {
      at: machine.cpu.instant,
      state: machine.save(),
      digest: new StateDigest(machine).compute(),
      clocks,
      pages: this.#past.pages(),
    };
    this.#position = 0;
    this.#events = [];
  }
}

const INTERRUPTED = { kind: 'interrupted' } as const;

/** What a diversion may be kept as. */
export interface Recording {
  /** The state that it starts with; null where that is the one with the images loaded. */
  readonly first: CheckpointRecord | null;
  readonly events: readonly TraceEvent[];
}

/** What a diversion has to know of the timeline that it leaves. */
export interface DiversionPast {
  /** The state that the timeline starts with; null where that is the one with the images loaded. */
  readonly first: CheckpointRecord | null;
  /** How RAM differs now from the loaded images, as in `CheckpointRecord`. */
  pages(): Map<number, Uint8Array>;
}

const NO_PAST: DiversionPast = {
  first: null,
  pages: () => {
    throw new Error('a diversion of nothing cannot be kept');
  },
};

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
  events: EventList,
  position: number,
  instant: Instant,
  before: ClocksAt = UNREAD,
): { readonly nanoseconds: number; readonly timestamp: number } {
  let nanoseconds: number | null = null;
  let timestamp: number | null = null;
  for (const { source, value, at } of readsBackward(events, position, readsOf(before))) {
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

/** What a clock gave, and when. */
interface ClockRead {
  readonly source: ClockSource;
  readonly value: number;
  readonly at: Instant;
}

/** What the clocks gave before a position, the latest first, and then what they had given `earlier`. */
function* readsBackward(
  events: EventList,
  position: number,
  earlier: Iterable<ClockRead>,
): Generator<ClockRead> {
  const first = Math.max(0, position - EVENTS_MOST);
  for (let index = position - 1; index >= first; index--) {
    const event = events.at(index);
    if (event?.kind === 'clock') yield event;
  }
  yield* earlier;
}

/** What they had given before there were events. */
function readsOf({ at, clocks }: ClocksAt): ClockRead[] {
  return CLOCK_SOURCES.flatMap((source) => {
    const value = clocks[source];
    return value === null ? [] : [{ source, value, at }];
  });
}
