/** Seeks that tell how far they are. */
import { formatInstant, type Instant } from '../replay/instant.js';
import type { Stop, Timeline } from '../replay/timeline.js';

/** Steps between two lines of progress. */
const PROGRESS_STEPS = 2_000_000;

/** As `Timeline.seeking`, yielding a line where one is due. */
export function* seekWithProgress(
  timeline: Timeline,
  target: Instant,
): Generator<string | undefined, Stop> {
  const seeking = timeline.seeking(target);
  let reported = timeline.instant;
  for (;;) {
    const slice = seeking.next();
    if (slice.done === true) return slice.value;
    const isDue = Math.abs(slice.value - reported) >= PROGRESS_STEPS;
    if (isDue) reported = slice.value;
    yield isDue ? `${formatInstant(slice.value)} of ${formatInstant(target)}` : undefined;
  }
}
