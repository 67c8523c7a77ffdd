/**
 * What a timeline goes back with: the replayer of its events, and the states from which it can set out.
 * These are its own checkpoints, and those that its trace holds, which become its own as they are needed.
 */
import type { Machine } from '../machine/machine.js';
import { type Checkpoint, Checkpoints } from './checkpoint.js';
import { STRIDE } from './checkpoint-policy.js';
import { applyRecord, type CheckpointRecord, composePages } from './checkpoint-record.js';
import { ListCursor } from './event-cursor.js';
import type { EventList } from './event-list.js';
import type { Instant } from './instant.js';
import { Replayer } from './replayer.js';
import type { StoredCheckpoints } from './stored-checkpoints.js';

/** How a timeline keeps its past. */
export interface PastOptions {
  /** Bytes of host memory that its checkpoints may take. */
  readonly checkpointBytes?: number;
  /** The checkpoints that its trace holds. */
  readonly stored?: StoredCheckpoints | null;
  /** The state that its trace starts with, where that is not the one with the images loaded. */
  readonly first?: CheckpointRecord | null;
}

/** A way to an instant over stored checkpoints. */
export interface StoredWay {
  /** Where it sets out from. */
  readonly from: Checkpoint;
  /** The places of the stored checkpoints that lie on it, in their order. */
  readonly places: readonly number[];
}

/** One machine's past. */
export class Past {
  /** The first instant, at which the machine was when this was made. */
  readonly begin: Instant;
  /** The state that the trace starts with; null where that is the one with the images loaded. */
  readonly first: CheckpointRecord | null;
  readonly cursor: ListCursor;
  readonly replayer: Replayer;
  readonly checkpoints: Checkpoints;
  readonly #machine: Machine;
  #stored: StoredCheckpoints | null;

  /** @param last how far the recording goes, where it has no end event. */
  constructor(machine: Machine, events: EventList, last: Instant, options: PastOptions = {}) {
    this.#machine = machine;
    this.begin = machine.cpu.instant;
    this.first = options.first ?? null;
    this.cursor = new ListCursor(events);
    this.replayer = new Replayer(machine, this.cursor, last);
    this.checkpoints = new Checkpoints(machine, options.checkpointBytes);
    this.#stored = options.stored ?? null;
  }

  /** Keeps the present state, which must be the one that the timeline has at this instant. */
  take(): void {
    this.checkpoints.take(this.cursor.position);
  }

  /** Makes the machine's state that of a checkpoint, with the replayer in charge of it. */
  restore(checkpoint: Checkpoint): void {
    this.checkpoints.restore(checkpoint);
    this.cursor.position = checkpoint.events;
    this.replayer.rewound();
    this.replayer.attach();
  }

  /** The newest checkpoint at or before an instant; there is always the first one. */
  nearest(at: Instant): Checkpoint {
    const checkpoint = this.checkpoints.nearest(at);
    if (checkpoint === null) throw new Error(`no checkpoint at or before ${at}`);
    return checkpoint;
  }

  /**
   * The way to the last stored checkpoint before an instant, where that saves a run of some length; or null.
   * @param present an instant that the machine could simply run on from.
   */
  storedWay(at: Instant, present: Instant): StoredWay | null {
    const stored = this.#stored;
    const last = stored?.placeBefore(at) ?? -1;
    if (stored === null || last < 0) return null;
    if (stored.at(last) - Math.max(this.nearest(at).at, present) < STRIDE) return null;
    let have = last;
    while (have >= 0 && this.nearest(stored.at(have)).at !== stored.at(have)) have -= 1;
    const from = this.nearest(have < 0 ? this.begin : stored.at(have));
    return { from, places: Array.from({ length: last - have }, (_, step) => have + 1 + step) };
  }

  /**
   * Goes from one stored checkpoint to the next, and keeps it. False where that one is wrong: then the
   * machine is in no state at all, and stored checkpoints are not used any more.
   */
  takeOver(place: number): boolean {
    const stored = this.#stored;
    const record = stored?.load(place) ?? null;
    if (stored === null || record === null || !this.#becomes(record)) {
      // What was recorded is true; what was kept to get there sooner need not be.
      this.#stored = null;
      return false;
    }
    this.cursor.position = stored.events(place);
    this.replayer.rewound();
    this.replayer.advance(this.#machine.cpu.instant);
    this.take();
    return true;
  }

  /** How RAM differs now from the loaded images, as in `CheckpointRecord`. */
  pages(): Map<number, Uint8Array> {
    const differences = this.checkpoints.differences();
    return this.first === null ? differences : composePages(this.first.pages, differences);
  }

  #becomes(record: CheckpointRecord): boolean {
    try {
      applyRecord(this.#machine, record);
    } catch {
      return false;
    }
    return this.replayer.isAt(record.digest);
  }
}
