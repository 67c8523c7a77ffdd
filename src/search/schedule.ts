/** Schedules: which inputs come to a guest, and at which instants. */
import type { MachineInput } from '../machine/input.js';
import type { ClocksAt } from '../replay/diversion.js';
import type { ClockEvent, TraceEvent } from '../replay/event.js';
import type { Instant } from '../replay/instant.js';

/** An input, but no clock: those are answered when the guest asks. */
export type PlacedInput = Exclude<MachineInput, { kind: 'clock' }>;

/** An input and the instant at which it comes. */
export interface ScheduledInput {
  readonly at: Instant;
  readonly input: PlacedInput;
}

/** A clock read of the past, and its place among the past's events. */
export interface PastRead {
  readonly event: ClockEvent;
  readonly place: number;
}

/** What was recorded of a run, in the form in which other runs are made of it. */
export class RecordedPast {
  /** All events in order. */
  readonly events: readonly TraceEvent[];
  /** How far they reach. */
  readonly lastInstant: Instant;
  /** What the clocks had given before; undefined where the past begins with the guest. */
  readonly begin: ClocksAt | undefined;
  /** The inputs among them, without clocks. */
  readonly inputs: readonly ScheduledInput[];
  /** The clock reads among them, each with its place in `events`. */
  readonly reads: readonly PastRead[];
  /** Of each input its place in `events`. */
  readonly #places: readonly number[];
  readonly #readPlaces: readonly number[];

  /**
   * @param begin what the clocks had given before the first event, of a past that begins later than the
   *   guest.
   */
  constructor(events: readonly TraceEvent[], lastInstant: Instant, begin?: ClocksAt) {
    this.begin = begin;
    this.events = events;
    this.lastInstant = lastInstant;
    const inputs: ScheduledInput[] = [];
    const places: number[] = [];
    const reads: PastRead[] = [];
    events.forEach((event, place) => {
      if (event.kind === 'clock') reads.push({ event, place });
      const input = inputOf(event);
      if (input === null) return;
      inputs.push({ at: event.at, input });
      places.push(place);
    });
    this.inputs = inputs;
    this.reads = reads;
    this.#places = places;
    this.#readPlaces = reads.map(({ place }) => place);
  }

  /** The inputs behind the first `position` events. */
  inputsFrom(position: number): ScheduledInput[] {
    return this.inputs.slice(countBelow(this.#places, position));
  }

  /** When the last interrupt among the first `position` events was taken; the start where none was. */
  lastAccept(position: number): Instant {
    for (let place = position - 1; place >= 0; place--) {
      const event = this.events[place];
      if (event.kind === 'accept') return event.at;
    }
    return this.begin?.at ?? 0;
  }

  /** How many clock reads are among the first `position` events. */
  readsBefore(position: number): number {
    return countBelow(this.#readPlaces, position);
  }
}

/** How many of the ascending numbers are below a bound. */
function countBelow(numbers: readonly number[], bound: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The input that an event stands for; null of checks and clocks. */
export function inputOf(event: TraceEvent): PlacedInput | null {
  switch (event.kind) {
    case 'irq':
      return event.isInput ? { kind: 'irq', line: event.line } : null;
    case 'nmi':
      return { kind: 'nmi' };
    case 'exception':
      return { kind: 'exception', vector: event.vector, errorCode: event.errorCode };
    case 'serial':
      return { kind: 'serial', byte: event.byte };
    case 'accept':
    case 'clock':
    case 'shim':
    case 'digest':
    case 'end':
      return null;
  }
}

/** The same kind of input, on the same line. */
export function isSameInput(a: PlacedInput, b: PlacedInput): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * A schedule with an input added: behind those that come at the same instant, but before an exception,
 * which takes the boundary's step.
 */
export function withInput(
  schedule: readonly ScheduledInput[],
  added: ScheduledInput,
): ScheduledInput[] {
  const before = schedule.filter(({ at, input }) =>
    at === added.at ? input.kind !== 'exception' : at < added.at,
  );
  const after = schedule.filter(({ at, input }) =>
    at === added.at ? input.kind === 'exception' : at > added.at,
  );
  return [...before, added, ...after];
}

/** A schedule with several inputs added, as `withInput` does: at one instant in their order. */
export function withInputs(
  schedule: readonly ScheduledInput[],
  added: readonly ScheduledInput[],
): ScheduledInput[] {
  return added.reduce<ScheduledInput[]>((all, each) => withInput(all, each), [...schedule]);
}
