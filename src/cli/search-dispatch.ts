/** Hands the placements of a search out in pieces, and gathers what comes back, in whatever order. */
import type { Instant } from '../replay/instant.js';
import type { TrialResult } from '../search/trial.js';
import type { ProgressBar } from './progress-bar.js';
import type { SearchCrew } from './search-crew.js';
import type { StopSignal } from './stop-signal.js';

/** So many placements are one piece of work: neighbours, since a worker goes from one to the next. */
const PIECE_MOST = 32;
/** Each worker should get so many pieces, so that none waits long for the last one. */
const PIECES_EACH = 8;

/**
 * Tries all instants that have no result yet. Ends early when a signal asks for it; the pieces that are
 * under way are waited for.
 */
export async function dispatch(
  instants: readonly Instant[],
  results: Map<Instant, TrialResult>,
  crew: SearchCrew,
  stop: StopSignal,
  bar: ProgressBar,
): Promise<void> {
  const wanted = instants.filter((at) => !results.has(at));
  const size = Math.max(
    1,
    Math.min(PIECE_MOST, Math.ceil(wanted.length / (crew.hands * PIECES_EACH))),
  );
  let next = 0;
  let done = 0;
  const hand = async (): Promise<void> => {
    while (next < wanted.length && !stop.isRaised) {
      const piece = wanted.slice(next, next + size);
      next += piece.length;
      const found = await crew.run(piece);
      piece.forEach((at, place) => results.set(at, found[place]));
      done += piece.length;
      bar.show(done, wanted.length);
    }
  };
  await Promise.all(Array.from({ length: crew.hands }, hand));
}
