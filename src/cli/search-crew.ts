/** Who does the pieces of a search: this thread, or threads of a pool. */
import { Piscina } from 'piscina';
import {
  type SearchContext,
  SearchWorker,
  type WorkPiece,
  type WorkResult,
} from './search-work.js';
import { turn } from './stop-signal.js';

/** Takes pieces, and does as many at a time as it has hands. */
export interface SearchCrew {
  readonly hands: number;
  run(piece: WorkPiece): Promise<WorkResult>;
  close(): Promise<void>;
}

/** A crew of so many workers on this machine. */
export function localCrew(context: SearchContext, workers: number): SearchCrew {
  return workers === 1 ? oneHand(context) : threads(context, workers);
}

function oneHand(context: SearchContext): SearchCrew {
  const worker = new SearchWorker(context);
  return {
    hands: 1,
    run: async (piece) => {
      const results = worker.run(piece);
      await turn();
      return results;
    },
    close: () => Promise.resolve(),
  };
}

/** A crew of threads, be it of one: this one stays free for other things. */
export function threads(context: SearchContext, workers: number): SearchCrew {
  // The sources are run as they are where tests do so.
  const file = import.meta.url.endsWith('.ts') ? './search-thread.ts' : './search-thread.js';
  const pool = new Piscina({
    filename: new URL(file, import.meta.url).href,
    name: 'run',
    workerData: context,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
  });
  return {
    hands: workers,
    run: (piece) => pool.run(piece) as Promise<WorkResult>,
    close: () => pool.destroy(),
  };
}
