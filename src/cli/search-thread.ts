/** What a worker thread of a search runs: pieces of the search that it was started for. */
import { Piscina } from 'piscina';
import {
  type SearchContext,
  SearchWorker,
  type WorkPiece,
  type WorkResult,
} from './search-work.js';

let worker: SearchWorker | null = null;

/** Does one piece. */
export function run(piece: WorkPiece): WorkResult {
  worker ??= new SearchWorker(Piscina.workerData as SearchContext);
  return worker.run(piece);
}
