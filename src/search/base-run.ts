/**
 * The run that a search departs from, on a machine of its own: it goes to any instant of it, and comes
 * back there after each try.
 */
import type { Machine } from '../machine/machine.js';
import { UserError } from '../machine/user-error.js';
import { type Checkpoint, Checkpoints } from '../replay/checkpoint.js';
import { formatDivergence } from '../replay/divergence.js';
import { ListCursor } from '../replay/event-cursor.js';
import type { Instant } from '../replay/instant.js';
import { Replayer } from '../replay/replayer.js';
import type { RecordedPast } from './schedule.js';

/** A search goes forward: few states behind it are worth their memory. */
const CHECKPOINT_BYTES = 128 << 20;
const CHECKPOINTS_MOST = 24;
/** Steps between the states that are kept on a long way. */
const STRIDE = 2_000_000;

/** One machine that replays a past, and may be led astray and brought back. */
export class BaseRun {
  readonly machine: Machine;
  readonly past: RecordedPast;
  readonly #cursor: ListCursor;
  readonly #replayer: Replayer;
  readonly #checkpoints: Checkpoints;

  /**
   * @param machine as it was when the past began.
   * @param trunk the run that this one branches off from at its present state, on the same machine.
   * @throws UserError where this machine begins in another state than the past does.
   */
  constructor(machine: Machine, past: RecordedPast, trunk?: BaseRun) {
    this.machine = machine;
    this.past = past;
    this.#cursor = new ListCursor(past.events);
    this.#cursor.position = trunk?.position ?? 0;
    this.#replayer = new Replayer(machine, this.#cursor, past.lastInstant);
    this.#checkpoints =
      trunk === undefined
        ? new Checkpoints(machine, CHECKPOINT_BYTES, CHECKPOINTS_MOST)
        : trunk.#checkpoints;
    this.#replayer.attach();
    this.#advance(machine.cpu.instant);
    if (trunk === undefined) this.mark();
  }

  /**
   * Another run on the same machine, which is this one up to the present instant. Until `rejoin` this one
   * must be left alone.
   */
  branch(past: RecordedPast): BaseRun {
    this.mark();
    this.#checkpoints.dropAfter(this.instant);
    return new BaseRun(this.machine, past, this);
  }

  /** Brings the machine back to a state of this run. @param at where the branch left it. */
  rejoin(at: Instant): void {
    this.back(this.#checkpoints.nearest(at)!);
    this.#checkpoints.dropAfter(at);
  }

  get instant(): Instant {
    return this.machine.cpu.instant;
  }

  /** How many of the past's events lie before the present state. */
  get position(): number {
    return this.#cursor.position;
  }

  /**
   * Goes to an instant, with its inputs injected. False where the past ends before it; then the machine
   * is at the end.
   * @throws UserError where the past is not what this machine does.
   */
  seek(at: Instant): boolean {
    const nearest = this.#checkpoints.nearest(at);
    if (at < this.instant || (nearest !== null && nearest.at > this.instant)) this.back(nearest!);
    while (this.instant < at) {
      const goal = Math.min(at, this.instant + STRIDE);
      if (!this.#advance(goal)) return false;
      if (goal < at) this.mark();
    }
    return true;
  }

  /** Goes one step on; false at the end of the past. */
  step(): boolean {
    return this.#advance(this.instant + 1);
  }

  /** Goes on to the next of the machine's breakpoints; false where there is none up to an instant. */
  seekBreakpoint(to: Instant): boolean {
    return this.#replayer.advance(to) === 'breakpoint';
  }

  /** Keeps the present state, to which `back` brings the machine. */
  mark(): Checkpoint {
    this.#checkpoints.take(this.#cursor.position);
    return this.#checkpoints.nearest(this.instant)!;
  }

  /** Brings the machine back to a kept state, whatever was done to it since. */
  back(to: Checkpoint): void {
    this.#checkpoints.restore(to);
    this.#cursor.position = to.events;
    this.#replayer.rewound();
    this.attach();
  }

  /** Makes the past the machine's source of inputs again, after someone else was. */
  attach(): void {
    this.#replayer.attach();
  }

  #advance(until: Instant): boolean {
    let skip = false;
    for (;;) {
      const exit = this.#replayer.advance(until, skip);
      if (exit === 'until') return true;
      if (exit === 'end') return this.instant >= until;
      if (exit === 'divergence') {
        throw new UserError(
          `the trace ${formatDivergence(this.#replayer.divergence!)}; record it again`,
        );
      }
      skip = exit === 'breakpoint';
    }
  }
}
