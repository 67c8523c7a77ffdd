/** Events by their number: an array of them, or those of a trace, of which few are in memory at a time. */
import type { EndEvent, TraceEvent } from './event.js';
import type { Instant } from './instant.js';

/** Events in their order. An array is one; it may grow at its end. */
export interface EventList {
  readonly length: number;
  /** The event with a number, from 0 on; undefined beyond the last. */
  at(place: number): TraceEvent | undefined;
  slice(from: number, to: number): TraceEvent[];
}

/** Chunks whose events are kept: those around a place, and where a search has been lately. */
const CHUNKS_KEPT = 32;

/** The events of a trace, decoded chunk by chunk as they are asked for. */
export class ChunkedEvents implements EventList {
  readonly length: number;
  /** The number of each chunk's first event, and that behind the last chunk. */
  readonly #starts: readonly number[];
  readonly #decode: (chunk: number) => readonly TraceEvent[];
  readonly #end: EndEvent | null;
  /** By chunk, the one used last at the end. */
  readonly #kept = new Map<number, readonly TraceEvent[]>();
  /** The chunk that was asked for last, and the number of its first event. */
  #present: readonly TraceEvent[] = [];
  #presentStart = 0;

  /**
   * @param counts how many events each chunk holds.
   * @param end behind the last chunk, where there is one.
   */
  constructor(
    counts: readonly number[],
    decode: (chunk: number) => readonly TraceEvent[],
    end: EndEvent | null,
  ) {
    const starts = [0];
    for (const count of counts) starts.push(starts[starts.length - 1] + count);
    this.#starts = starts;
    this.#decode = decode;
    this.#end = end;
    this.length = starts[starts.length - 1] + (end === null ? 0 : 1);
  }

  at(place: number): TraceEvent | undefined {
    const offset = place - this.#presentStart;
    if (offset >= 0 && offset < this.#present.length) return this.#present[offset];
    if (place >= this.#starts[this.#starts.length - 1]) {
      return place < this.length ? (this.#end ?? undefined) : undefined;
    }
    const chunk = this.#chunkOf(place);
    this.#present = this.#eventsOf(chunk);
    this.#presentStart = this.#starts[chunk];
    return this.#present[place - this.#presentStart];
  }

  slice(from: number, to: number): TraceEvent[] {
    const events: TraceEvent[] = [];
    for (let place = from; place < Math.min(to, this.length); place++) events.push(this.at(place)!);
    return events;
  }

  #chunkOf(place: number): number {
    return leastWhere(this.#starts.length - 1, (chunk) => this.#starts[chunk + 1] > place);
  }

  #eventsOf(chunk: number): readonly TraceEvent[] {
    const events = this.#kept.get(chunk) ?? this.#decode(chunk);
    this.#kept.delete(chunk);
    this.#kept.set(chunk, events);
    if (this.#kept.size > CHUNKS_KEPT) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    return events;
  }
}

/** The number of the first event at or after an instant: how many there are before it. */
export function firstEventAt(events: EventList, at: Instant): number {
  return leastWhere(events.length, (place) => events.at(place)!.at >= at);
}

/** The least number below `count` for which the condition, which stays true from there on, is; or `count`. */
function leastWhere(count: number, isReached: (number: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
