/**
 * Hands the items of a search out in pieces while they are still being found, and gathers what comes back,
 * in whatever order.
 */
import type { ProgressBar } from './progress-bar.js';
import type { SearchCrew } from './search-crew.js';
import { keyOf, runsOf, type SearchResults } from './search-results.js';
import type { WorkItem } from './search-work.js';
import type { StopSignal } from './stop-signal.js';

/** So many placements are one piece of work: neighbours, since a worker goes from one to the next. */
const PIECE_MOST = 32;
/** Each worker should get so many pieces, so that none waits long for the last one. */
const PIECES_EACH = 8;

/** How much a search is about. */
export interface DispatchOptions {
  /** Placements, about. */
  readonly expected: number;
  /** Workers that will do them, about. */
  readonly hands: number;
}

/** The way of a search's items to its workers and back. */
export class Dispatcher {
  readonly #hire: () => Promise<SearchCrew>;
  readonly #results: SearchResults;
  readonly #stop: StopSignal;
  readonly #bar: ProgressBar;
  readonly #pieceSize: number;
  readonly #expected: number;
  readonly #queue: WorkItem[] = [];
  readonly #added = new Set<string>();
  #next = 0;
  #weightAdded = 0;
  #weightDone = 0;
  #runs = 0;
  #isClosed = false;
  #sleepers: (() => void)[] = [];
  #work: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;

  /** @param hire gets the workers; called when there is something for them to do. */
  constructor(
    hire: () => Promise<SearchCrew>,
    results: SearchResults,
    stop: StopSignal,
    bar: ProgressBar,
    { expected, hands }: DispatchOptions,
  ) {
    this.#hire = hire;
    this.#results = results;
    this.#stop = stop;
    this.#bar = bar;
    this.#expected = expected;
    const each = Math.ceil(expected / (hands * PIECES_EACH));
    this.#pieceSize = Math.max(1, Math.min(PIECE_MOST, each));
  }

  /** How many runs were made. */
  get runs(): number {
    return this.#runs;
  }

  /** A worker has failed: nothing more will be done, and `finish` throws why. */
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Has an item done, unless it has a result or was added before. */
  add(item: WorkItem): void {
    const key = keyOf(item);
    if (this.#added.has(key) || this.#results.has(item)) return;
    this.#added.add(key);
    this.#queue.push(item);
    this.#weightAdded += weightOf(item);
    this.#work ??= this.#start();
    this.#wake();
  }

  /**
   * Waits until all items are done, or, after a signal, those that are under way.
   * @throws what a worker threw.
   */
  async finish(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    await this.#work;
    this.#bar.clear();
    if (this.#failure !== null) throw this.#failure.error;
  }

  async #start(): Promise<void> {
    try {
      const crew = await this.#hire();
      try {
        await Promise.all(Array.from({ length: crew.hands }, () => this.#hand(crew)));
      } finally {
        await crew.close();
      }
    } catch (error) {
      this.#failure = { error };
      this.#wake();
    }
  }

  async #hand(crew: SearchCrew): Promise<void> {
    while (!this.#stop.isRaised && !this.hasFailed) {
      const piece = this.#take();
      if (piece.length === 0) {
        if (this.#isClosed) return;
        await new Promise<void>((resolve) => this.#sleepers.push(resolve));
        continue;
      }
      const found = await crew.run(piece);
      piece.forEach((item, place) => {
        this.#results.set(item, found[place]);
        this.#weightDone += weightOf(item);
        this.#runs += runsOf(item, found[place]);
      });
      const total = this.#isClosed ? this.#weightAdded : this.#expected;
      this.#bar.show(this.#weightDone, Math.max(total, this.#weightDone));
    }
  }

  /** The next piece; empty where there is not yet enough for one. */
  #take(): WorkItem[] {
    let weight = 0;
    let end = this.#next;
    while (end < this.#queue.length && weight < this.#pieceSize) {
      weight += weightOf(this.#queue[end]);
      end += 1;
    }
    if (weight < this.#pieceSize && !this.#isClosed) return [];
    const piece = this.#queue.slice(this.#next, end);
    this.#next = end;
    return piece;
  }

  #wake(): void {
    const sleepers = this.#sleepers;
    this.#sleepers = [];
    for (const resolve of sleepers) resolve();
  }
}

/** How many placements an item is about. */
function weightOf(item: WorkItem): number {
  return item.kind === 'placement' ? 1 : Math.max(1, item.to - item.at);
}
