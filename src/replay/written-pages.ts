/**
 * Who looks at RAM now and then (digests, checkpoints) and wants to see only what changed since its
 * last look. Any number of observers share the memory's epochs: an epoch only ever starts a new count,
 * so one observer's look costs another nothing.
 */
import type { PhysicalMemory } from '../cpu/physical-memory.js';

/** The one that a machine is made in. */
const FIRST_EPOCH = 1;

/** One observer's view of which pages of RAM were written. */
export class WrittenPages {
  readonly #physical: PhysicalMemory;
  #since = FIRST_EPOCH;

  constructor(physical: PhysicalMemory) {
    this.#physical = physical;
  }

  /**
   * Calls `visit` with the number of each page that was written since the last call of `look` (at the first
   * call: that was ever written, the others being zero), lowest first, and starts anew. The guest sees
   * nothing of it.
   */
  look(visit: (page: number) => void): void {
    for (const page of this.#physical.writtenSince(this.#since)) visit(page);
    this.#since = this.#physical.beginEpoch();
  }
}
