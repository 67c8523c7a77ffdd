/**
 * Movement in both directions of time, over a trace or over a live machine that is recorded in memory.
 *
 * There is one way to move: restore a checkpoint, replay forward from it. Going back one step is going
 * to one instant less; continuing backward is replaying one interval after another, the latest first,
 * and remembering the last stop in it. Beyond the recorded end a live timeline grows.
 */
import { SEG_CS } from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';
import type { Checkpoint, CheckpointSize } from './checkpoint.js';
import { nextMark } from './checkpoint-policy.js';
import type { LiveSource } from './clock/live-source.js';
import { Diversion } from './diversion.js';
import type { TraceEvent } from './event.js';
import { firstEventAt } from './event-cursor.js';
import type { Instant } from './instant.js';
import { Lookout } from './lookout.js';
import { type Direction, type Exit, type Stop, type StopConditions, stopBy } from './motion.js';
import { Past, type PastOptions } from './past.js';
import { Recorder } from './recorder.js';
import { type LiveOptions, Session } from './session.js';
import type { Watchpoint } from './watch-set.js';

export type { Direction, Stop, StopConditions } from './motion.js';
export type { LiveOptions } from './session.js';

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
  readonly #past: Past;
  /** Drives the machine beyond the recorded end; null over a trace. */
  readonly #live: Session | null;
  #isAtFrontier: boolean;
  #diversion: Diversion | null = null;
  #outputTo: Instant = 0;
  /** What the present motion looks out for. */
  #lookout: Lookout | null = null;

  private constructor(
    machine: Machine,
    events: TraceEvent[],
    last: Instant,
    live: Session | null,
    past: PastOptions,
  ) {
    this.machine = machine;
    this.#events = events;
    this.#past = new Past(machine, events, last, past);
    this.#live = live;
    this.#isAtFrontier = live !== null;
    machine.onSerialOutput = (byte) => this.#passOutput(byte);
    if (live === null) this.#past.replayer.attach();
    this.#advance(this.begin, false);
    this.#past.take();
  }

  /**
   * A timeline over a recorded past.
   * @param machine as it was when the recording began.
   * @param lastInstant how far the recording goes, where it has no end event.
   */
  static overTrace(
    machine: Machine,
    events: TraceEvent[],
    lastInstant: Instant,
    past: PastOptions = {},
  ): Timeline {
    return new Timeline(machine, events, lastInstant, null, past);
  }

  /** A timeline that begins with the machine's present state and grows as it is run. */
  static live(
    machine: Machine,
    source: LiveSource,
    options: LiveOptions & PastOptions = {},
  ): Timeline {
    const events: TraceEvent[] = [];
    const recorder = new Recorder(machine, {
      event: (event) => {
        events.push(event);
        options.onEvent?.(event);
      },
    });
    const session = new Session(machine, source, { ...options, recorder });
    session.pause();
    return new Timeline(machine, events, machine.cpu.instant, session, options);
  }

  /** The first instant, at which the machine was when this was made. */
  get begin(): Instant {
    return this.#past.begin;
  }

  /** Where the machine is. */
  get instant(): Instant {
    return this.machine.cpu.instant;
  }

  /** The last instant; null while a live timeline may still grow. */
  get end(): Instant | null {
    if (this.#live !== null && this.#live.outcome === null) return null;
    return this.#past.replayer.lastInstant;
  }

  /** How far the past is recorded: the end, or of a live timeline how far it has come. */
  get recordedEnd(): Instant {
    return this.#past.replayer.lastInstant;
  }

  /** True in a diversion: what is seen now is not what was recorded. */
  get isDiverted(): boolean {
    return this.#diversion !== null;
  }

  /** The diversion that the machine is in, or null. */
  get diversion(): Diversion | null {
    return this.#diversion;
  }

  /** The checkpoints by instant, with the host memory that each takes. */
  get checkpoints(): readonly CheckpointSize[] {
    return this.#past.checkpoints.sizes;
  }

  /** The live run beyond the recorded end, for its serial input; null over a trace. */
  get session(): Session | null {
    return this.#live;
  }

  /** The recorded events from one instant to another, both included. */
  events(from: Instant, to: Instant): TraceEvent[] {
    return this.#events.slice(firstEventAt(this.#events, from), firstEventAt(this.#events, to + 1));
  }

  /** Goes to an instant, or to the end that lies before it. Ends a diversion. */
  seek(at: Instant): Stop {
    const exit = this.#seek(Math.max(at, this.begin));
    if (at < this.begin) return { kind: 'begin' };
    return this.instant === at && exit !== 'divergence' ? { kind: 'instant' } : this.#stopBy(exit);
  }

  /** As `seek`, yielding every few milliseconds the instant that it has come to. */
  *seeking(at: Instant): Generator<Instant, Stop> {
    const goal = Math.max(at, this.begin);
    const importing = this.#importing(goal);
    while (importing.next().done !== true) yield this.instant;
    if (this.#diversion !== null || goal < this.instant) this.#restore(this.#nearest(goal));
    for (;;) {
      const slice = Math.min(goal, Math.max(this.instant, this.#nearest(goal).at) + SLICE_STEPS);
      const stop = this.seek(slice);
      if (stop.kind !== 'instant' || slice === goal)
        return at < this.begin ? { kind: 'begin' } : stop;
      yield this.instant;
    }
  }

  /**
   * Goes one instant on or back. Going back in a diversion ends it, at the instant where it began.
   * @param watchpoints accesses by that one step that are reported.
   * @param deliveries as in `StopConditions`; heeded forward alone.
   */
  step(
    direction: Direction,
    watchpoints: readonly Watchpoint[] = [],
    deliveries?: StopConditions['deliveries'],
  ): Stop {
    const start = this.instant;
    if (direction === 'forward') {
      const lookout = this.#arm({
        ...NOTHING,
        watchpoints,
        ...(deliveries === undefined ? {} : { deliveries }),
      });
      const exit = this.#travel(start + 1, false, false);
      this.#disarm();
      const hit = lookout.access ?? lookout.delivery;
      if (hit !== null) return hit;
      return this.instant > start && exit !== 'divergence'
        ? { kind: 'instant' }
        : this.#stopBy(exit);
    }
    if (this.#diversion !== null) return this.seek(this.#diversion.start);
    if (start === this.begin) return { kind: 'begin' };
    const stop = this.seek(start - 1);
    if (stop.kind !== 'instant' || watchpoints.length === 0) return stop;
    this.#past.take();
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
  diverge(): Diversion {
    this.#diversion ??= new Diversion(
      this.machine,
      this.#events,
      this.#past.cursor.position,
      this.#past,
    );
    return this.#diversion;
  }

  /** Ends a live run because nobody will go on with it; what was recorded gets its end event. */
  finish(): void {
    if (this.#live === null || this.#live.outcome !== null) return;
    this.seek(this.recordedEnd);
    this.#live.interrupt();
  }

  *#forward(stops: StopConditions): Generator<undefined, Stop> {
    const lookout = this.#arm(stops);
    let sliceEnd = this.instant + SLICE_STEPS;
    let passed = 0;
    let skip = false;
    try {
      for (;;) {
        const exit = this.#travel(sliceEnd, false, skip);
        const hit = lookout.access ?? lookout.delivery;
        if (hit !== null) return hit;
        if (exit === 'end' || exit === 'divergence') return this.#stopBy(exit);
        skip = exit === 'breakpoint';
        if (skip && this.#isWanted(stops)) return this.#breakpointStop();
        if (skip && ++passed % SLICE_STOPS !== 0) continue;
        yield;
        sliceEnd = this.instant + SLICE_STEPS;
      }
    } finally {
      this.#disarm();
    }
  }

  *#backward(stops: StopConditions): Generator<undefined, Stop> {
    if (this.#diversion !== null) this.#seek(this.#diversion.start);
    else if (this.#past.replayer.divergence === null) this.#past.take();
    // No stop lies from here on to where the motion began.
    let clearFrom = this.instant;
    let target = clearFrom;
    try {
      while (clearFrom > this.begin) {
        yield* this.#importing(clearFrom - 1);
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
    const lookout = this.#arm(stops);
    while (this.instant < to) {
      const sliceEnd = Math.min(to, this.instant + SLICE_STEPS);
      const exit = this.#travel(sliceEnd, to, skip);
      skip = exit === 'breakpoint';
      const { access, delivery } = lookout;
      if (access !== null) found = { at: this.instant - 1, stop: access };
      if (delivery !== null && this.instant < to) found = { at: this.instant, stop: delivery };
      lookout.clear();
      if (exit === 'breakpoint' && this.#isWanted(stops)) {
        found = { at: this.instant, stop: this.#breakpointStop() };
      }
      if (exit === 'end' || exit === 'divergence') break;
      passed += 1;
      if (this.instant === sliceEnd || passed % SLICE_STOPS === 0) yield;
    }
    return found;
  }

  /** Goes to an instant or the end before it. */
  #seek(at: Instant, mustRestore = this.#diversion !== null): Exit {
    const isBackward = at < this.instant;
    const importing = this.#importing(at);
    while (importing.next().done !== true);
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
      if (exit === 'stopped' && this.#lookout?.hasHit !== true) continue;
      if (exit !== 'until') return exit;
      if (this.#diversion === null && this.instant === mark) {
        this.#past.take();
      }
    }
  }

  #advance(until: Instant, skipBreakpointHere: boolean): Exit {
    if (this.#diversion !== null) return this.#diversion.advance(until, skipBreakpointHere);
    const live = this.#live;
    const start = this.instant;
    if (!this.#isAtFrontier) {
      const exit = this.#past.replayer.advance(until, skipBreakpointHere);
      if (exit !== 'end' || live === null || live.outcome !== null) return exit;
      live.attach();
      this.#isAtFrontier = true;
      // The last recorded step was a watched access: the live run must not go on from there.
      if (this.#lookout?.hasHit === true) return 'stopped';
    }
    if (live === null) throw new Error('a trace has no frontier');
    live.resume();
    const exit = live.advance(until, skipBreakpointHere && this.instant === start);
    live.pause();
    this.#past.replayer.lastInstant = this.instant;
    this.#past.cursor.position = this.#events.length;
    return exit;
  }

  #restore(checkpoint: Checkpoint): void {
    this.#diversion = null;
    this.#isAtFrontier = false;
    this.#past.restore(checkpoint);
  }

  /**
   * Takes over the trace's own checkpoints up to the last one before an instant, where that is quicker than
   * to run there. The machine is then at one of them, or where it was. Yields between two of them.
   */
  *#importing(at: Instant): Generator<undefined, void> {
    const isBehind = at < this.instant || this.#diversion !== null;
    const way = this.#past.storedWay(at, isBehind ? this.begin : this.instant);
    if (way === null) return;
    this.#restore(way.from);
    for (const place of way.places) {
      if (!this.#past.takeOver(place)) {
        this.#restore(this.#nearest(this.begin));
        return;
      }
      yield;
    }
  }

  #nearest(at: Instant): Checkpoint {
    return this.#past.nearest(at);
  }

  #arm(stops: StopConditions): Lookout {
    this.#lookout = new Lookout(this.machine, stops);
    return this.#lookout;
  }

  #disarm(): void {
    this.#arm(NOTHING);
  }

  get #linear(): number {
    const { state } = this.machine.cpu.core;
    return (state.segmentBase(SEG_CS) + state.eip) >>> 0;
  }

  #isWanted({ isWanted }: StopConditions): boolean {
    return isWanted === undefined || isWanted(this.#linear);
  }

  #breakpointStop(): Stop {
    return { kind: 'breakpoint', linear: this.#linear };
  }

  /** The stop that an exit stands for which no condition brought about. */
  #stopBy(exit: Exit): Stop {
    const session = this.#diversion?.session ?? this.#live;
    return stopBy(
      exit,
      session?.outcome ?? this.#past.replayer.outcome,
      this.#past.replayer.divergence,
    );
  }

  #passOutput(byte: number): void {
    const { instant } = this.machine.cpu;
    if (instant < this.#outputTo && this.#diversion === null) return;
    if (this.#diversion === null) this.#outputTo = instant + 1;
    this.onSerialOutput(byte);
  }
}
