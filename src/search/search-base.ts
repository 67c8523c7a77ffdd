/** Makes of a recorded run the one that a search departs from: a run that is good. */
import { UserError } from '../machine/user-error.js';
import { formatInstant } from '../replay/instant.js';
import type { GuestMaker } from './guest.js';
import {
  isSameInput,
  type PlacedInput,
  type RecordedPast,
  type ScheduledInput,
} from './schedule.js';
import type { Feed } from './schedule-source.js';
import { runFromReset, type ScheduledRun } from './scheduled-run.js';
import { type CompiledVerdicts, verdictName } from './verdict.js';

/** A base run, and what was taken away from the recorded one to make it good. */
export interface SearchBase {
  readonly run: ScheduledRun;
  /** The input that was taken away, to be placed anew; null where the recorded run was good. */
  readonly moved: ScheduledInput | null;
}

/**
 * Runs what was recorded once more. Where that is bad, its last input of the kind that will be placed is
 * taken away.
 * @param placed what a search will place; null where the base must be good as it is.
 * @throws UserError where no good run comes of it.
 */
export function searchBase(
  makeGuest: GuestMaker,
  past: RecordedPast,
  verdicts: CompiledVerdicts,
  feed: Feed,
  placed: PlacedInput | null,
): SearchBase {
  const budget = Math.max(1, past.lastInstant);
  const attempt = (schedule: readonly ScheduledInput[]): ScheduledRun =>
    runFromReset(makeGuest(), { past, schedule, feed, verdicts, budget });
  const run = attempt(past.inputs);
  const { finding } = run.result;
  if (finding === null) return { run, moved: null };
  const what = `${verdictName(verdicts.specs[finding.verdict])} at ${formatInstant(finding.at)}`;
  const index = past.inputs.findLastIndex(
    ({ at, input }) => at <= finding.at && placed !== null && isSameInput(input, placed),
  );
  if (index < 0) {
    throw new UserError(
      `the run is bad before anything is placed (${what}); start from a good one`,
    );
  }
  const moved = past.inputs[index];
  const without = attempt(past.inputs.filter((_, place) => place !== index));
  if (without.result.finding === null) return { run: without, moved };
  throw new UserError(
    `the run is bad (${what}), and still bad without its input at ${formatInstant(moved.at)}; start from a good one`,
  );
}
