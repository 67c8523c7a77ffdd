/** What is known of a search so far, item by item. */
import type { Instant } from '../replay/instant.js';
import type { SecondClass } from '../search/second-placements.js';
import type { TrialResult } from '../search/trial.js';
import type { ItemResult, WorkItem } from './search-work.js';

/** Results by items. */
export class SearchResults {
  readonly #items = new Map<string, { readonly item: WorkItem; readonly result: ItemResult }>();

  has(item: WorkItem): boolean {
    return this.#items.has(keyOf(item));
  }

  set(item: WorkItem, result: ItemResult): void {
    this.#items.set(keyOf(item), { item, result });
  }

  /** How many runs there are results of. */
  get runs(): number {
    let runs = 0;
    for (const { item, result } of this.#items.values()) runs += runsOf(item, result);
    return runs;
  }

  /** Of the placements of these inputs at one instant, by instants. */
  placements(which: readonly number[]): ReadonlyMap<Instant, TrialResult> {
    const found = new Map<Instant, TrialResult>();
    for (const { item, result } of this.#items.values()) {
      if (item.kind !== 'placement' || item.which.join() !== which.join()) continue;
      found.set(item.at, result as TrialResult);
    }
    return found;
  }

  /** Of the second inputs behind a first one; undefined where there is nothing yet. */
  seconds(item: WorkItem): readonly SecondClass[] | undefined {
    return this.#items.get(keyOf(item))?.result as readonly SecondClass[] | undefined;
  }

  /** As plain data, for `load`. */
  save(): unknown {
    return [...this.#items.values()].map(({ item, result }) => [item, result]);
  }

  load(saved: unknown): void {
    for (const [item, result] of saved as [WorkItem, ItemResult][]) this.set(item, result);
  }
}

/** How many runs an item stood for. */
export function runsOf(item: WorkItem, result: ItemResult): number {
  if (item.kind === 'placement') return 1;
  return (result as readonly SecondClass[]).filter(({ kind }) => kind === 'held').length;
}

/** A name that no other item of the search has. */
export function keyOf(item: WorkItem): string {
  if (item.kind === 'placement') return `${item.which.join('+')}@${item.at}`;
  return `${item.first}@${item.at} ${item.second}`;
}
