/**
 * Movement in both directions of time, over a trace or over a live machine that is recorded in memory.
 *
 * There is one way to move: restore a checkpoint, replay forward from it. Going back one step is going
 * to one instant less; continuing backward is replaying one interval after another, the latest first,
 * and remembering the last stop in it. Beyond the recorded end a live timeline grows.
 */
import { SEG_CS } from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';
import { type Checkpoint, Checkpoints } from './checkpoint.js';
import { nextMark } from './checkpoint-policy.js';
import type { LiveSource } from './clock/live-source.js';
import type { Divergence } from './divergence.js';
import { divert } from './diversion.js';
import type { TraceEvent } from './event.js';
import { ListCursor } from './event-cursor.js';
import type { Instant } from './instant.js';
import type { Outcome } from './outcome.js';
import { Recorder } from './recorder.js';
import { Replayer } from './replayer.js';
import { Session, type SessionOptions } from './session.js';
import { type WatchAccess, type Watchpoint, WatchSet } from './watch-set.js';

export type Direction = 'forward' | 'backward';

/** Where a motion stops before it has come to an end of the timeline. */
export interface StopConditions {
  /** Linear addresses, unsigned. */
  readonly breakpoints: ReadonlySet<number>;
  readonly watchpoints: readonly Watchpoint[];
}

/** Why a motion ended. */
export type Stop =
  /** At the instant that was asked for. */
  | { readonly kind: 'instant' }
  /** At a breakpoint, whose instruction has not run. */
  | { readonly kind: 'breakpoint'; readonly linear: number }
  /** After the access; going backward, before it. */
  | { readonly kind: 'watchpoint'; readonly address: number; readonly access: WatchAccess }
  /** Nothing lies before this instant. */
  | { readonly kind: 'begin' }
  /** Nothing lies after this instant. */
  | { readonly kind: 'end'; readonly outcome: Outcome | null }
  /** The replay left the recorded past: only going back leads on. */
  | { readonly kind: 'divergence'; readonly divergence: Divergence }
  /** A live guest is halted until something arrives from outside. */
  | { readonly kind: 'interrupted' };

type Exit = 'until' | 'breakpoint' | 'stopped' | 'waiting' | 'end' | 'divergence';

/** Steps between two yields of `continue`: some milliseconds. */
const SLICE_STEPS = 200_000;
/** Stops passed between two yields while the last one of an interval is looked for. */
const SLICE_STOPS = 2_000;
const NOTHING: StopConditions = { breakpoints: new Set(), watchpoints: [] };

/** What was found going through an interval: the instant at which to stop, and why. */
interface Found {
  readonly at: Instant;
  readonly stop: Stop;
}

/** One machine's past, and where in it the machine is. */
export class Timeline {
  readonly machine: Machine;
  /** Receives each byte of serial output the first time that it is reached, not when it is replayed. */
  onSerialOutput: (byte: number) => void = () => undefined;
  readonly #events: TraceEvent[];
  readonly #cursor: ListCursor;
  readonly #replayer: Replayer;
  readonly #checkpoints: Checkpoints;
  /** Drives the machine beyond the recorded end; null over a trace. */
  readonly #live: Session | null;
  #isAtFrontier: boolean;
  #diversion: { readonly session: Session; readonly start: Instant } | null = null;
  #outputTo: Instant = 0;
  /** What the present motion stops at, where it honours watchpoints. */
  #watch: WatchSet | null = null;

  private constructor(machine: Machine, events: TraceEvent[], last: Instant, live: Session | null) {
    this.machine = machine;
    this.#events = events;
    this.#cursor = new ListCursor(events);
    this.#replayer = new Replayer(machine, this.#cursor, last);
    this.#checkpoints = new Checkpoints(machine);
    this.#live = live;
    this.#isAtFrontier = live !== null;
    machine.onSerialOutput = (byte) => this.#passOutput(byte);
    if (live === null) this.#replayer.attach();
    this.#advance(0, false);
    this.#checkpoints.take(this.#cursor.position);
  }

  /**
   * A timeline over a recorded past.
   * @param machine as it was when the recording began.
   * @param lastInstant how far the recording goes, where it has no end event.
   */
  static overTrace(machine: Machine, events: TraceEvent[], lastInstant: Instant): Timeline {
    return new Timeline(machine, events, lastInstant, null);
  }

  /** A timeline that begins with the machine's present state and grows as it is run. */
  static live(machine: Machine, source: LiveSource, options: SessionOptions = {}): Timeline {
    const events: TraceEvent[] = [];
    const recorder = new Recorder(machine, { event: (event) => events.push(event) });
    const session = new Session(machine, source, { ...options, recorder });
    session.pause();
    return new Timeline(machine, events, machine.cpu.instant, session);
  }

  /** Where the machine is. */
  get instant(): Instant {
    return this.machine.cpu.instant;
  }

  /** The last instant; null while a live timeline may still grow. */
  get end(): Instant | null {
    if (this.#live !== null && this.#live.outcome === null) return null;
    return this.#replayer.lastInstant;
  }

  /** True in a diversion: what is seen now is not what was recorded. */
  get isDiverted(): boolean {
    return this.#diversion !== null;
  }

  /** The live run beyond the recorded end, for its serial input; null over a trace. */
  get session(): Session | null {
    return this.#live;
  }

  /** The recorded events from one instant to another, both included. */
  events(from: Instant, to: Instant): TraceEvent[] {
    return this.#events.slice(this.#firstEvent(from), this.#firstEvent(to + 1));
  }

  /** Goes to an instant, or to the end that lies before it. Ends a diversion. */
  seek(at: Instant): Stop {
    const exit = this.#seek(Math.max(at, 0));
    if (at < 0) return { kind: 'begin' };
    return this.instant === at && exit !== 'divergence' ? { kind: 'instant' } : this.#stopBy(exit);
  }

  /**
   * Goes one instant on or back. Going back in a diversion ends it, at the instant where it began.
   * @param watchpoints accesses by that one step that are reported.
   */
  step(direction: Direction, watchpoints: readonly Watchpoint[] = []): Stop {
    const start = this.instant;
    if (direction === 'forward') {
      const watch = this.#arm({ ...NOTHING, watchpoints });
      const exit = this.#travel(start + 1, false, false);
      this.#disarm();
      if (watch.firstHit !== null) return watchStop(watch.firstHit);
      return this.instant > start && exit !== 'divergence'
        ? { kind: 'instant' }
        : this.#stopBy(exit);
    }
    if (this.#diversion !== null) return this.seek(this.#diversion.start);
    if (start === 0) return { kind: 'begin' };
    const stop = this.seek(start - 1);
    if (stop.kind !== 'instant' || watchpoints.length === 0) return stop;
    this.#checkpoints.take(this.#cursor.position);
    const forward = this.step('forward', watchpoints);
    this.#seek(start - 1);
    return forward.kind === 'watchpoint' ? forward : stop;
  }

  /**
   * Goes on or back to the first stop. Forward, a breakpoint at the present EIP stops at once; backward,
   * it is passed over. It yields every few milliseconds; a caller that returns it there finds the
   * timeline at an instant up to which there was no stop.
   */
  continue(direction: Direction, stops: StopConditions): Generator<undefined, Stop> {
    return direction === 'forward' ? this.#forward(stops) : this.#backward(stops);
  }

  /**
   * Starts a diversion: from here on the machine may be changed at will, and runs without the recorded
   * events, until a motion backward or `seek` ends it.
   */
  diverge(): void {
    if (this.#diversion !== null) return;
    const session = divert(this.machine, this.#events, this.#cursor.position);
    this.#diversion = { session, start: this.instant };
  }

  *#forward(stops: StopConditions): Generator<undefined, Stop> {
    const watch = this.#arm(stops);
    try {
      for (;;) {
        const exit = this.#travel(this.instant + SLICE_STEPS, false, false);
        if (watch.firstHit !== null) return watchStop(watch.firstHit);
        if (exit === 'breakpoint') return this.#breakpointStop();
        if (exit === 'end' || exit === 'divergence') return this.#stopBy(exit);
        yield;
      }
    } finally {
      this.#disarm();
    }
  }

  *#backward(stops: StopConditions): Generator<undefined, Stop> {
    if (this.#diversion !== null) this.#seek(this.#diversion.start);
    else if (this.#replayer.divergence === null) this.#checkpoints.take(this.#cursor.position);
    // No stop lies from here on to where the motion began.
    let clearFrom = this.instant;
    let target = clearFrom;
    try {
      while (clearFrom > 0) {
        const from = this.#nearest(clearFrom - 1);
        const found = yield* this.#lastStop(from, clearFrom, stops);
        if (found !== null) {
          target = found.at;
          return found.stop;
        }
        clearFrom = from.at;
        target = clearFrom;
      }
      return { kind: 'begin' };
    } finally {
      this.#disarm();
      this.#seek(target, true);
    }
  }

  /** The last stop in the interval from a checkpoint up to but not including an instant, or null. */
  *#lastStop(
    from: Checkpoint,
    to: Instant,
    stops: StopConditions,
  ): Generator<undefined, Found | null> {
    let found: Found | null = null;
    let skip = false;
    let passed = 0;
    this.#restore(from);
    const watch = this.#arm(stops);
    while (this.instant < to) {
      const sliceEnd = Math.min(to, this.instant + SLICE_STEPS);
      const exit = this.#travel(sliceEnd, to, skip);
      skip = exit === 'breakpoint';
      if (watch.firstHit !== null) {
        found = { at: this.instant - 1, stop: watchStop(watch.firstHit) };
        watch.clear();
      }
      if (exit === 'breakpoint') found = { at: this.instant, stop: this.#breakpointStop() };
      if (exit === 'end' || exit === 'divergence') break;
      passed += 1;
      if (this.instant === sliceEnd || passed % SLICE_STOPS === 0) yield;
    }
    return found;
  }

  /** Goes to an instant or the end before it. */
  #seek(at: Instant, mustRestore = this.#diversion !== null): Exit {
    const isBackward = at < this.instant;
    const checkpoint = this.#nearest(at);
    if (mustRestore || isBackward || checkpoint.at > this.instant) this.#restore(checkpoint);
    return this.#travel(at, isBackward ? at : false, false);
  }

  /**
   * Runs to an instant or to whatever stops it, and leaves checkpoints on the way.
   * @param denseBefore the instant before which they are to lie dense, or false.
   */
  #travel(until: Instant, denseBefore: Instant | false, skipBreakpointHere: boolean): Exit {
    let skip = skipBreakpointHere;
    for (;;) {
      const now = this.instant;
      if (now >= until) return 'until';
      let mark = until;
      if (this.#diversion === null) {
        const last = this.#nearest(now).at;
        mark = nextMark(
          now,
          denseBefore === false ? until : denseBefore,
          last,
          denseBefore !== false,
        );
      }
      const exit = this.#advance(Math.min(mark, until), skip);
      if (this.instant !== now) skip = false;
      // A live clock also stops the machine, to look at its timers.
      if (exit === 'stopped' && this.#watch?.firstHit == null) continue;
      if (exit !== 'until') return exit;
      if (this.#diversion === null && this.instant === mark) {
        this.#checkpoints.take(this.#cursor.position);
      }
    }
  }

  #advance(until: Instant, skipBreakpointHere: boolean): Exit {
    if (this.#diversion !== null) return this.#diversion.session.advance(until, skipBreakpointHere);
    const live = this.#live;
    const start = this.instant;
    if (!this.#isAtFrontier) {
      const exit = this.#replayer.advance(until, skipBreakpointHere);
      if (exit !== 'end' || live === null || live.outcome !== null) return exit;
      live.attach();
      this.#isAtFrontier = true;
      // The last recorded step was a watched access: the live run must not go on from there.
      if (this.#watch?.firstHit != null) return 'stopped';
    }
    if (live === null) throw new Error('a trace has no frontier');
    live.resume();
    const exit = live.advance(until, skipBreakpointHere && this.instant === start);
    live.pause();
    this.#replayer.lastInstant = this.instant;
    this.#cursor.position = this.#events.length;
    return exit;
  }

  #restore(checkpoint: Checkpoint): void {
    this.#diversion = null;
    this.#isAtFrontier = false;
    this.#checkpoints.restore(checkpoint);
    this.#cursor.position = checkpoint.events;
    this.#replayer.rewound();
    this.#replayer.attach();
  }

  /** The newest checkpoint at or before an instant; there is always the first one. */
  #nearest(at: Instant): Checkpoint {
    const checkpoint = this.#checkpoints.nearest(at);
    if (checkpoint === null) throw new Error(`no checkpoint at or before ${at}`);
    return checkpoint;
  }

  #arm(stops: StopConditions): WatchSet {
    const { cpu } = this.machine;
    const watch = new WatchSet(stops.watchpoints, () => cpu.requestStop());
    this.#watch = watch;
    cpu.breakpoints = stops.breakpoints;
    cpu.accessWatch = stops.watchpoints.length > 0 ? watch : null;
    return watch;
  }

  #disarm(): void {
    this.#arm(NOTHING);
  }

  #breakpointStop(): Stop {
    const { state } = this.machine.cpu.core;
    return { kind: 'breakpoint', linear: (state.segmentBase(SEG_CS) + state.eip) >>> 0 };
  }

  /** The stop that an exit stands for which no condition brought about. */
  #stopBy(exit: Exit): Stop {
    switch (exit) {
      case 'divergence':
        return { kind: 'divergence', divergence: this.#replayer.divergence! };
      case 'waiting':
        return { kind: 'interrupted' };
      case 'end': {
        const session = this.#diversion?.session ?? this.#live;
        return { kind: 'end', outcome: session?.outcome ?? this.#replayer.outcome };
      }
      case 'until':
      case 'breakpoint':
      case 'stopped':
        return { kind: 'instant' };
    }
  }

  /** The index of the first event at or after an instant. */
  #firstEvent(at: Instant): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle].at < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #passOutput(byte: number): void {
    const { instant } = this.machine.cpu;
    if (instant < this.#outputTo && this.#diversion === null) return;
    if (this.#diversion === null) this.#outputTo = instant + 1;
    this.onSerialOutput(byte);
  }
}

function watchStop(watchpoint: Watchpoint): Stop {
  return { kind: 'watchpoint', address: watchpoint.address, access: watchpoint.access };
}
