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
  /** The inputs that were taken away, to be placed anew; none where the recorded run was good. */
  readonly moved: readonly ScheduledInput[];
}

/**
 * Runs what was recorded once more. Where that is bad, the last input of each kind that will be placed is
 * taken away.
 * @param placed what a search will place; where nothing, the base must be good as it is.
 * @throws UserError where no good run comes of it.
 */
export function searchBase(
  makeGuest: GuestMaker,
  past: RecordedPast,
  verdicts: CompiledVerdicts,
  feed: Feed,
  placed: readonly PlacedInput[],
): SearchBase {
  const budget = Math.max(1, past.lastInstant);
  const attempt = (schedule: readonly ScheduledInput[]): ScheduledRun =>
    runFromReset(makeGuest(), { past, schedule, feed, verdicts, budget });
  const run = attempt(past.inputs);
  const { finding } = run.result;
  if (finding === null) return { run, moved: [] };
  const what = `${verdictName(verdicts.specs[finding.verdict])} at ${formatInstant(finding.at)}`;
  const moved: ScheduledInput[] = [];
  for (const wanted of placed) {
    const found = past.inputs.findLast(
      (each) => each.at <= finding.at && !moved.includes(each) && isSameInput(each.input, wanted),
    );
    if (found !== undefined) moved.push(found);
  }
  if (moved.length === 0) {
    throw new UserError(
      `the run is bad before anything is placed (${what}); start from a good one`,
    );
  }
  const without = attempt(past.inputs.filter((each) => !moved.includes(each)));
  if (without.result.finding === null) return { run: without, moved };
  const where = moved.map(({ at }) => formatInstant(at)).join(' and ');
  throw new UserError(
    `the run is bad (${what}), and still bad without its input at ${where}; start from a good one`,
  );
}
