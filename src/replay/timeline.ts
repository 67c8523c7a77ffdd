/**
 * Movement in both directions of time, over a trace or over a live machine that is recorded in memory.
 *
 * There is one way to move: restore a checkpoint, replay forward from it. Going back one step is going
 * to one instant less; continuing backward is replaying one interval after another, the latest first,
 * and remembering the last stop in it. Beyond the recorded end a live timeline grows.
 */
import type { Machine } from '../machine/machine.js';
import type { CheckpointSize } from './checkpoint.js';
import type { LiveSource } from './clock/live-source.js';
import type { Diversion } from './diversion.js';
import type { TraceEvent } from './event.js';
import { type EventList, firstEventAt } from './event-list.js';
import type { Instant } from './instant.js';
import type { Direction, Exit, Stop, StopConditions } from './motion.js';
import type { PastOptions } from './past.js';
import { Recorder } from './recorder.js';
import { type LiveOptions, Session } from './session.js';
import { SLICE_STEPS, searchBackward, searchForward } from './stop-search.js';
import { Track } from './track.js';
import type { Watchpoint } from './watch-set.js';

export type { Direction, Stop, StopConditions } from './motion.js';
export type { LiveOptions } from './session.js';

/** One machine's past, and where in it the machine is. */
export class Timeline {
  readonly machine: Machine;
  /** Receives each byte of serial output the first time that it is reached, not when it is replayed. */
  onSerialOutput: (byte: number) => void = () => undefined;
  readonly #track: Track;
  #outputTo: Instant = 0;

  private constructor(
    machine: Machine,
    events: EventList,
    last: Instant,
    live: Session | null,
    past: PastOptions,
  ) {
    this.machine = machine;
    this.#track = new Track(machine, events, last, live, past);
    machine.onSerialOutput = (byte) => this.#passOutput(byte);
  }

  /**
   * A timeline over a recorded past.
   * @param machine as it was when the recording began.
   * @param lastInstant how far the recording goes, where it has no end event.
   */
  static overTrace(
    machine: Machine,
    events: EventList,
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
    return this.#track.begin;
  }

  /** Where the machine is. */
  get instant(): Instant {
    return this.machine.cpu.instant;
  }

  /** The last instant; null while a live timeline may still grow. */
  get end(): Instant | null {
    const { live } = this.#track;
    return live !== null && live.outcome === null ? null : this.recordedEnd;
  }

  /** How far the past is recorded: the end, or of a live timeline how far it has come. */
  get recordedEnd(): Instant {
    return this.#track.past.replayer.lastInstant;
  }

  /** True in a diversion: what is seen now is not what was recorded. */
  get isDiverted(): boolean {
    return this.#track.diversion !== null;
  }

  /** The diversion that the machine is in, or null. */
  get diversion(): Diversion | null {
    return this.#track.diversion;
  }

  /** The checkpoints by instant, with the host memory that each takes. */
  get checkpoints(): readonly CheckpointSize[] {
    return this.#track.past.checkpoints.sizes;
  }

  /** The live run beyond the recorded end, for its serial input; null over a trace. */
  get session(): Session | null {
    return this.#track.live;
  }

  /** All recorded events. */
  get log(): EventList {
    return this.#track.events;
  }

  /** How many of the recorded events lie before an instant. */
  eventsBefore(at: Instant): number {
    return firstEventAt(this.log, at);
  }

  /** The recorded events from one instant to another, both included. */
  events(from: Instant, to: Instant): TraceEvent[] {
    return this.log.slice(this.eventsBefore(from), this.eventsBefore(to + 1));
  }

  /** Goes to an instant, or to the end that lies before it. Ends a diversion. */
  seek(at: Instant): Stop {
    const exit = this.#track.go(Math.max(at, this.begin));
    if (at < this.begin) return { kind: 'begin' };
    return this.#arrival(exit, at);
  }

  /** As `seek`, yielding every few milliseconds the instant that it has come to. */
  *seeking(at: Instant): Generator<Instant, Stop> {
    const track = this.#track;
    const goal = Math.max(at, this.begin);
    const importing = track.importing(goal);
    while (importing.next().done !== true) yield this.instant;
    if (this.isDiverted || goal < this.instant) track.restore(track.nearest(goal));
    for (;;) {
      const slice = Math.min(goal, Math.max(this.instant, track.nearest(goal).at) + SLICE_STEPS);
      const stop = this.seek(slice);
      if (stop.kind !== 'instant' || slice === goal)
        return at < this.begin ? { kind: 'begin' } : stop;
      yield this.instant;
    }
  }

  /**
   * Goes one instant on or back. Going back in a diversion ends it, at the instant where it began.
   * @param watchpoints accesses by that one step that are reported.
   * @param happenings deliveries and calls that stop, heeded forward alone.
   */
  step(
    direction: Direction,
    watchpoints: readonly Watchpoint[] = [],
    happenings: Pick<StopConditions, 'deliveries' | 'calls'> = {},
  ): Stop {
    return direction === 'forward'
      ? this.#stepForward({ breakpoints: new Set(), watchpoints, ...happenings })
      : this.#stepBackward(watchpoints);
  }

  /**
   * Goes on to an instant, or to the end before it, and calls `visit` at each instant that it comes to, but
   * not at the present one. `visit` looks at the machine and does not change it.
   */
  walk(to: Instant, visit: () => void): void {
    while (this.instant < to) {
      const at = this.instant;
      const exit = this.#track.travel(at + 1, false, false);
      if (this.instant === at || exit === 'divergence') return;
      visit();
    }
  }

  /**
   * Goes on or back to the first stop. Forward, a breakpoint at the present EIP stops at once; backward,
   * it is passed over. It yields every few milliseconds; a caller that returns it there finds the
   * timeline at an instant up to which there was no stop.
   */
  continue(direction: Direction, stops: StopConditions): Generator<undefined, Stop> {
    return direction === 'forward'
      ? searchForward(this.#track, stops)
      : searchBackward(this.#track, stops);
  }

  /**
   * Starts a diversion: from here on the machine may be changed at will, and runs without the recorded
   * events, until a motion backward or `seek` ends it.
   */
  diverge(): Diversion {
    return this.#track.diverge();
  }

  /** Ends a live run because nobody will go on with it; what was recorded gets its end event. */
  finish(): void {
    const { live } = this.#track;
    if (live === null || live.outcome !== null) return;
    this.seek(this.recordedEnd);
    live.interrupt();
  }

  #stepForward(stops: StopConditions): Stop {
    const track = this.#track;
    const start = this.instant;
    const lookout = track.arm(stops);
    const exit = track.travel(start + 1, false, false);
    track.disarm();
    return lookout.access ?? lookout.happening ?? this.#arrival(exit, start + 1);
  }

  #stepBackward(watchpoints: readonly Watchpoint[]): Stop {
    const { past, diversion } = this.#track;
    const start = this.instant;
    if (diversion !== null) return this.seek(diversion.start);
    if (start === this.begin) return { kind: 'begin' };
    const stop = this.seek(start - 1);
    if (stop.kind !== 'instant' || watchpoints.length === 0) return stop;
    past.take();
    const forward = this.step('forward', watchpoints);
    this.seek(start - 1);
    return forward.kind === 'watchpoint' ? forward : stop;
  }

  #arrival(exit: Exit, at: Instant): Stop {
    const isThere = this.instant === at && exit !== 'divergence';
    return isThere ? { kind: 'instant' } : this.#track.stopBy(exit);
  }

  #passOutput(byte: number): void {
    const { instant } = this.machine.cpu;
    if (instant < this.#outputTo && !this.isDiverted) return;
    if (!this.isDiverted) this.#outputTo = instant + 1;
    this.onSerialOutput(byte);
  }
}
