/**
 * Writes down what happens to a live machine: each input as it is injected, and the effects by which a
 * replay is checked. It costs nothing but at events and at digests.
 */
import type { MachineInput } from '../machine/input.js';
import type { Machine, MachineObserver } from '../machine/machine.js';
import { CheckpointMaker, type CheckpointRecord, type ClockValues } from './checkpoint-record.js';
import { StateDigest } from './digest.js';
import type { TraceEvent } from './event.js';
import type { Instant } from './instant.js';
import type { Outcome } from './outcome.js';

/** Whoever keeps events: a trace's writer, or a list in memory. */
export interface EventSink {
  event(event: TraceEvent): void;
}

/** Whoever keeps checkpoints beside the events: a trace's writer. */
export interface CheckpointSink {
  /** The last value of each clock among the events so far. */
  readonly clocks: ClockValues;
  checkpoint(record: CheckpointRecord): void;
}

/** Steps between digests, each of which takes some 0.3 ms even where nothing was written. */
const DIGEST_STEPS = 100_000_000;
/**
 * Further steps for each page that the last digest hashed, which takes 2 us, and the guest's next write to
 * it a little more: at 1,000 million steps a second all of them are some 2 % of the time.
 */
const DIGEST_STEPS_PER_PAGE = 100_000;

/** Records one machine. Becomes the machine's observer when it is made. */
export class Recorder implements MachineObserver {
  readonly #machine: Machine;
  readonly #sink: EventSink;
  readonly #digest: StateDigest;
  /** The line of the interrupt that is being injected; -1 while none is. */
  #injecting = -1;
  #nextDigest: Instant;
  readonly #hasDigests: boolean;
  #checkpoints: { readonly maker: CheckpointMaker; readonly sink: CheckpointSink } | null = null;
  #checkpointSteps = Number.POSITIVE_INFINITY;
  #nextCheckpoint: Instant = Number.POSITIVE_INFINITY;

  /**
   * @param firstDigest the instant from which on digests are wanted; Infinity: only one at the end. `never`:
   *   not even that, and the end's digest is empty: such a recording is good for as long as it is in memory.
   */
  constructor(machine: Machine, sink: EventSink, firstDigest: Instant | 'never' = 0) {
    this.#hasDigests = firstDigest !== 'never';
    this.#nextDigest = firstDigest === 'never' ? Number.POSITIVE_INFINITY : firstDigest;
    this.#machine = machine;
    this.#sink = sink;
    this.#digest = new StateDigest(machine);
    machine.observer = this;
  }

  /** Logs an input and hands it to the machine. */
  inject(input: MachineInput): void {
    const at = this.#machine.cpu.instant;
    if (input.kind === 'irq') {
      this.#sink.event({ kind: 'irq', at, line: input.line, isInput: true });
      this.#injecting = input.line;
    } else if (input.kind === 'clock') {
      // Spelled out, since a spread takes longer than all the rest of it.
      this.#sink.event({ kind: 'clock', at, source: input.source, value: input.value });
    } else {
      this.#sink.event({ ...input, at });
    }
    this.#machine.inject(input);
    this.#injecting = -1;
  }

  irqRaised(line: number): void {
    if (line === this.#injecting) return;
    this.#sink.event({ kind: 'irq', at: this.#machine.cpu.instant, line, isInput: false });
  }

  irqAccepted(vector: number, line: number, cpl: number, eip: number, shadow: number): void {
    const at = this.#machine.cpu.instant;
    this.#sink.event({ kind: 'accept', at, vector, line, cpl, eip, shadow });
  }

  shimCalled(call: number, site: number, args: readonly number[], result: number | null): void {
    const at = this.#machine.cpu.instant;
    this.#sink.event({ kind: 'shim', at, call, site, args, result });
  }

  /** The instant from which on the next digest is wanted. */
  get nextDigest(): Instant {
    return this.#nextDigest;
  }

  /** Logs the digest of the present state. */
  digest(): void {
    const at = this.#machine.cpu.instant;
    this.#sink.event({ kind: 'digest', at, digest: this.#digest.compute() });
    this.#nextDigest = at + DIGEST_STEPS + DIGEST_STEPS_PER_PAGE * this.#digest.hashedPages;
  }

  /**
   * Logs a checkpoint every so many steps from now on. The machine must have its images loaded and not
   * have run: checkpoints are differences to that.
   */
  keepCheckpoints(sink: CheckpointSink, steps: number): void {
    this.#checkpoints = { maker: new CheckpointMaker(this.#machine), sink };
    this.#checkpointSteps = steps;
    this.#nextCheckpoint = this.#machine.cpu.instant + steps;
  }

  /** The instant from which on the next checkpoint is wanted; Infinity where none are. */
  get nextCheckpoint(): Instant {
    return this.#nextCheckpoint;
  }

  /** Logs a checkpoint of the present state, which must be behind all events so far. */
  checkpoint(): void {
    if (this.#checkpoints === null) return;
    const { maker, sink } = this.#checkpoints;
    sink.checkpoint(maker.make(sink.clocks));
    this.#nextCheckpoint = this.#machine.cpu.instant + this.#checkpointSteps;
  }

  /** Logs the end of the run with the digest of the state that it ended in, which it returns. */
  end(outcome: Outcome): string {
    const digest = this.#hasDigests ? this.#digest.compute() : '';
    this.#sink.event({ kind: 'end', at: this.#machine.cpu.instant, outcome, digest });
    return digest;
  }
}
