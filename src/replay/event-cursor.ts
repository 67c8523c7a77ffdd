/** Reading positions in a sequence of events: in a list, or in a stream that is read as it is needed. */
import type { TraceEvent } from './event.js';
import type { EventList } from './event-list.js';

/** A position between two events. */
export interface EventCursor {
  /** The event that is `ahead` events after the position (0: the next one); null beyond the last. */
  peek(ahead: number): TraceEvent | null;
  /** Moves past the next event. */
  advance(): void;
}

/** A position in a list, which may be moved, and to which events may still be added. */
export class ListCursor implements EventCursor {
  readonly #events: EventList;
  /** How many events lie before the position. */
  position = 0;

  constructor(events: EventList) {
    this.#events = events;
  }

  peek(ahead: number): TraceEvent | null {
    return this.#events.at(this.position + ahead) ?? null;
  }

  advance(): void {
    this.position += 1;
  }
}

/** A position in a stream. It holds no more events than were peeked at. */
export class StreamCursor implements EventCursor {
  readonly #events: Iterator<TraceEvent>;
  #buffer: TraceEvent[] = [];
  #first = 0;

  constructor(events: Iterable<TraceEvent>) {
    this.#events = events[Symbol.iterator]();
  }

  peek(ahead: number): TraceEvent | null {
    while (this.#first + ahead >= this.#buffer.length) {
      const next = this.#events.next();
      if (next.done === true) return null;
      this.#buffer.push(next.value);
    }
    return this.#buffer[this.#first + ahead];
  }

  advance(): void {
    this.#first += 1;
    if (this.#first >= 1024) {
      this.#buffer = this.#buffer.slice(this.#first);
      this.#first = 0;
    }
  }
}
