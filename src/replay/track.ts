/**
 * The way of one machine through its past: restore a checkpoint, replay forward from it, and leave
 * checkpoints on the way. Beyond the recorded end a live run grows, and a diversion leads off.
 */
import { SEG_CS } from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';
import type { Checkpoint } from './checkpoint.js';
import { nextMark } from './checkpoint-policy.js';
import { Diversion } from './diversion.js';
import type { EventList } from './event-list.js';
import type { Instant } from './instant.js';
import { Lookout } from './lookout.js';
import { type Exit, type Stop, type StopConditions, stopBy } from './motion.js';
import { Past, type PastOptions } from './past.js';
import type { Session } from './session.js';

const NOTHING: StopConditions = { breakpoints: new Set(), watchpoints: [] };

/** One machine, its past, and whatever drives it where it is now. */
export class Track {
  readonly machine: Machine;
  readonly events: EventList;
  readonly past: Past;
  /** Drives the machine beyond the recorded end; null over a trace. */
  readonly live: Session | null;
  #isAtFrontier: boolean;
  #diversion: Diversion | null = null;
  /** What the present motion looks out for. */
  #lookout: Lookout | null = null;

  /**
   * Takes the machine's present state for the first instant, and keeps it.
   * @param last how far the recording goes, where it has no end event.
   */
  constructor(
    machine: Machine,
    events: EventList,
    last: Instant,
    live: Session | null,
    options: PastOptions,
  ) {
    this.machine = machine;
    this.events = events;
    this.past = new Past(machine, events, last, options);
    this.live = live;
    this.#isAtFrontier = live !== null;
    if (live === null) this.past.replayer.attach();
    this.#advance(this.begin, false);
    this.past.take();
  }

  /** The first instant. */
  get begin(): Instant {
    return this.past.begin;
  }

  /** Where the machine is. */
  get instant(): Instant {
    return this.machine.cpu.instant;
  }

  /** The diversion that the machine is in, or null. */
  get diversion(): Diversion | null {
    return this.#diversion;
  }

  /** Linear address of the next instruction, unsigned. */
  get linear(): number {
    const { state } = this.machine.cpu.core;
    return (state.segmentBase(SEG_CS) + state.eip) >>> 0;
  }

  /** Leads the machine off its past, if it is not off it already. */
  diverge(): Diversion {
    const { machine, past } = this;
    this.#diversion ??= new Diversion(machine, this.events, past.cursor.position, past);
    return this.#diversion;
  }

  /** Has the machine stop at what the conditions name. */
  arm(stops: StopConditions): Lookout {
    this.#lookout = new Lookout(this.machine, stops);
    return this.#lookout;
  }

  /** Nothing stops the machine any more. */
  disarm(): void {
    this.arm(NOTHING);
  }

  /** Goes to an instant or the end before it. Ends a diversion. */
  go(at: Instant, mustRestore = this.#diversion !== null): Exit {
    const isBackward = at < this.instant;
    const importing = this.importing(at);
    while (importing.next().done !== true);
    const checkpoint = this.nearest(at);
    if (mustRestore || isBackward || checkpoint.at > this.instant) this.restore(checkpoint);
    return this.travel(at, isBackward ? at : false, false);
  }

  /**
   * Runs to an instant or to whatever stops it, and leaves checkpoints on the way.
   * @param denseBefore the instant before which they are to lie dense, or false.
   */
  travel(until: Instant, denseBefore: Instant | false, skipBreakpointHere: boolean): Exit {
    let skip = skipBreakpointHere;
    for (;;) {
      const now = this.instant;
      if (now >= until) return 'until';
      let mark = until;
      if (this.#diversion === null) {
        const last = this.nearest(now).at;
        const isDense = denseBefore !== false;
        mark = nextMark(now, isDense ? denseBefore : until, last, isDense);
      }
      const exit = this.#advance(Math.min(mark, until), skip);
      if (this.instant !== now) skip = false;
      // A live clock also stops the machine, to look at its timers.
      if (exit === 'stopped' && this.#lookout?.hasHit !== true) continue;
      if (exit !== 'until') return exit;
      if (this.#diversion === null && this.instant === mark) this.past.take();
    }
  }

  /** Makes the machine's state that of a checkpoint. Ends a diversion. */
  restore(checkpoint: Checkpoint): void {
    this.#diversion = null;
    this.#isAtFrontier = false;
    this.past.restore(checkpoint);
  }

  /** The newest checkpoint at or before an instant. */
  nearest(at: Instant): Checkpoint {
    return this.past.nearest(at);
  }

  /**
   * Takes over the trace's own checkpoints up to the last one before an instant, where that is quicker than
   * to run there. The machine is then at one of them, or where it was. Yields between two of them.
   */
  *importing(at: Instant): Generator<undefined, void> {
    const isBehind = at < this.instant || this.#diversion !== null;
    const way = this.past.storedWay(at, isBehind ? this.begin : this.instant);
    if (way === null) return;
    this.restore(way.from);
    for (const place of way.places) {
      if (!this.past.takeOver(place)) {
        this.restore(this.nearest(this.begin));
        return;
      }
      yield;
    }
  }

  /** The stop that an exit stands for which no condition brought about. */
  stopBy(exit: Exit): Stop {
    const { outcome, divergence } = this.past.replayer;
    const session = this.#diversion?.session ?? this.live;
    return stopBy(exit, session?.outcome ?? outcome, divergence);
  }

  #advance(until: Instant, skipBreakpointHere: boolean): Exit {
    if (this.#diversion !== null) return this.#diversion.advance(until, skipBreakpointHere);
    const { live, past } = this;
    const start = this.instant;
    if (!this.#isAtFrontier) {
      const exit = past.replayer.advance(until, skipBreakpointHere);
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
    past.replayer.lastInstant = this.instant;
    past.cursor.position = this.events.length;
    return exit;
  }
}
