/** What a worker thread of a search runs: pieces of the search that it was started for. */
import { Piscina } from 'piscina';
import {
  type SearchContext,
  SearchWorker,
  type WorkPiece,
  type WorkResult,
} from './search-work.js';

// Made while others still look for the first piece.
const worker = new SearchWorker(Piscina.workerData as SearchContext);

/** Does one piece. */
export function run(piece: WorkPiece): WorkResult {
  return worker.run(piece);
}
