/** What a search that was stopped leaves behind, so that it can go on. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileError } from './errors.js';
import type { SearchResults } from './search-results.js';
import type { SearchContext } from './search-work.js';

/** The file of one search, in the present folder: its name tells what was searched, and how. */
export class SearchState {
  readonly path: string;

  /** @param what whatever says, beside the context, what is to be tried: plain data. */
  constructor(context: SearchContext, what: unknown) {
    const { start, events, lastInstant, verdicts, budget, feed, inputs } = context;
    const how = [events, lastInstant, verdicts, budget, feed, inputs, what];
    const hash = createHash('sha256');
    for (const { name, bytes } of start.images)
      hash.update(`${name}:${bytes.length};`).update(bytes);
    hash.update(JSON.stringify([start.machine, start.checkpoint?.digest ?? null, how]));
    this.path = `holdoff-search-${hash.digest('hex').slice(0, 12)}.json`;
  }

  /** What was found before, into `results`. False where there is nothing. */
  load(results: SearchResults): boolean {
    if (!existsSync(this.path)) return false;
    try {
      results.load(JSON.parse(readFileSync(this.path, 'utf8')));
      return true;
    } catch (error) {
      // A file that was cut short is no reason not to search.
      if (error instanceof SyntaxError) return false;
      throw fileError('read', this.path, error);
    }
  }

  save(results: SearchResults): void {
    try {
      writeFileSync(this.path, JSON.stringify(results.save()));
    } catch (error) {
      throw fileError('write', this.path, error);
    }
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}
