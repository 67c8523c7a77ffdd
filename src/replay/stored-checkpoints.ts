/** The checkpoints that a trace holds, as a timeline takes them over. */
import type { CheckpointRecord } from './checkpoint-record.js';
import type { Instant } from './instant.js';
import type { Trace } from './trace-format.js';

/** Where a trace has checkpoints, and what they hold. */
export class StoredCheckpoints {
  readonly #trace: Pick<Trace, 'checkpoints' | 'checkpoint'>;

  constructor(trace: Pick<Trace, 'checkpoints' | 'checkpoint'>) {
    this.#trace = trace;
  }

  /** The place of the last checkpoint at or before an instant; -1 where there is none. */
  placeBefore(at: Instant): number {
    const { checkpoints } = this.#trace;
    let low = 0;
    let high = checkpoints.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (checkpoints[middle].at <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The instant of a checkpoint. */
  at(place: number): Instant {
    return this.#trace.checkpoints[place].at;
  }

  /** How many events of the trace lie before it. */
  events(place: number): number {
    return this.#trace.checkpoints[place].events;
  }

  /** Reads one; null where it cannot be used. */
  load(place: number): CheckpointRecord | null {
    const checked = this.#trace.checkpoint(place);
    return checked.isWhole ? checked.value : null;
  }
}
