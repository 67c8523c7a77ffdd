/**
 * Where checkpoints are worth having: many near the cursor, few far from it, so that any instant can be
 * reached in a time that grows with its distance, and their number with the logarithm of the length.
 */
import type { Instant } from './instant.js';

/** Steps between checkpoints where a timeline is run forward for the first time. */
export const STRIDE = 1_000_000;
/** Going to an instant from before it leaves no checkpoint closer to it than this. */
const CLOSEST = 1024;

/**
 * The instant at which a run from `now` to `target` should stop to take its next checkpoint, later
 * than `now`; at or beyond `target` where it needn't.
 * @param last the instant of the newest checkpoint at or before `now`.
 * @param isDense leave checkpoints at halved distances before `target`: someone is about to step back
 *   from there.
 */
export function nextMark(now: Instant, target: Instant, last: Instant, isDense: boolean): Instant {
  const regular = Math.max(last + STRIDE, now + 1);
  const distance = target - now;
  if (!isDense || distance <= CLOSEST) return regular;
  return Math.min(regular, now + Math.floor(distance / 2));
}

/**
 * Which checkpoint of a list sorted by instant to give up, or null. Never the first, from which all
 * others can be had again, nor the last, nor the one at index `keep`. The one that goes leaves the
 * smallest gap in proportion to its distance from the cursor.
 */
export function leastUseful(
  list: readonly { readonly at: Instant }[],
  cursor: Instant,
  keep: number,
): number | null {
  let best: number | null = null;
  let bestScore = Number.POSITIVE_INFINITY;
  for (let index = 1; index < list.length - 1; index++) {
    if (index === keep) continue;
    const gap = list[index + 1].at - list[index - 1].at;
    const score = gap / (Math.abs(cursor - list[index].at) + CLOSEST);
    if (score < bestScore) {
      best = index;
      bestScore = score;
    }
  }
  return best;
}
