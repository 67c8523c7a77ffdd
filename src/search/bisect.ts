/**
 * From a bad run to its cause: the fewest events that make it bad, the window of each, and the first
 * thing that goes another way than in a good run that differs in one event.
 */

import { SymbolTable } from '../machine/symbols.js';
import { UserError } from '../machine/user-error.js';
import { formatInstant, type Instant } from '../replay/instant.js';
import { BaseRun } from './base-run.js';
import { type EventWindow, eventWindow } from './event-window.js';
import {
  type FirstDifference,
  firstDifference,
  firstParting,
  handlerDifference,
} from './first-difference.js';
import type { GuestMaker } from './guest.js';
import { minimise } from './minimise.js';
import { isSameInput, type RecordedPast, type ScheduledInput, withInput } from './schedule.js';
import { ScheduleRunner } from './schedule-runner.js';
import type { Feed } from './schedule-source.js';
import { runFromReset, type ScheduledRun } from './scheduled-run.js';
import { type CompiledVerdicts, compileVerdicts } from './verdict.js';
import type { Finding } from './verdict-watch.js';

const NO_VERDICTS = compileVerdicts([], SymbolTable.empty);

/** An event that is needed, and where. */
export interface NeededEvent {
  readonly event: ScheduledInput;
  readonly window: EventWindow;
}

/** What bisection has found. */
export interface Bisection {
  /** Why the bad run is bad, with no more than the needed events. */
  readonly finding: Finding;
  /** In the order of time. Without any one of them the run is good. */
  readonly needed: readonly NeededEvent[];
  /** How many events were chosen from, and how many are in both traces. */
  readonly candidates: number;
  readonly common: number;
  /** The two runs that differ in one event, the last of the needed ones. */
  readonly bad: ScheduledRun;
  readonly good: ScheduledRun;
  /** Where the good run has it; null where it is left out. */
  readonly goodAt: Instant | null;
  /** The first instant at which their states differ; null where they don't. */
  readonly partsAt: Instant | null;
  readonly difference: FirstDifference | null;
  /**
   * Where the difference is. `interrupted`: in the code that the event interrupts. `handler`: in what the
   * event starts, where the interrupted code does not go on in both runs, or does the same. `without`: in the
   * interrupted code of the run without the event, where neither tells.
   */
  readonly differenceIn: 'interrupted' | 'handler' | 'without';
  /** How many runs minimising took. */
  readonly runs: number;
}

/** What bisection is asked. */
export interface BisectOptions {
  readonly verdicts: CompiledVerdicts;
  readonly feed: Feed;
  /** Instructions of a run beyond the recorded one's end. */
  readonly budget: number;
}

/**
 * Bisects. Yields between runs.
 * @param good a run whose events are no suspects, or null.
 * @throws UserError where the bad run isn't bad, or is bad without the suspects.
 */
export function* bisect(
  makeGuest: GuestMaker,
  past: RecordedPast,
  good: RecordedPast | null,
  options: BisectOptions,
): Generator<undefined, Bisection> {
  const { verdicts, feed } = options;
  const budget = past.lastInstant + options.budget;
  const runner = new ScheduleRunner(makeGuest(), { past, verdicts, feed, budget });
  const all = runner.try(past.inputs);
  const known = all.finding;
  if (known === null) throw new UserError('the run is good: no verdict holds in it');
  const before = past.inputs.filter(({ at }) => at <= known.at);
  const isCommon = (event: ScheduledInput): boolean =>
    good?.inputs.some(({ at, input }) => at === event.at && isSameInput(input, event.input)) ??
    false;
  const common = before.filter(isCommon);
  const suspects = before.filter((event) => !isCommon(event));
  const scheduleOf = (part: readonly ScheduledInput[]): ScheduledInput[] =>
    part.reduce<ScheduledInput[]>((schedule, event) => withInput(schedule, event), common);
  const needed = yield* minimise(suspects, (part) => runner.try(scheduleOf(part)).finding !== null);
  if (needed.length === 0) {
    throw new UserError(
      `the run is bad without any event of its own (at ${formatInstant(known.at)}): there is nothing to bisect`,
    );
  }
  const record = (schedule: readonly ScheduledInput[], judged = verdicts): ScheduledRun =>
    runFromReset(makeGuest(), { past, schedule, feed, verdicts: judged, budget });
  const found: NeededEvent[] = [];
  for (const event of needed) {
    const without = record(scheduleOf(needed.filter((other) => other !== event)));
    const window = yield* eventWindow(makeGuest, without, event, options);
    found.push({ event, window });
  }
  const { event, window } = found[found.length - 1];
  const others = scheduleOf(needed.slice(0, -1));
  const bad = record(withInput(others, event));
  const { run: neighbour, at: goodAt } = goodNeighbour(others, event, window, record);
  yield;
  // What tells two runs apart may come behind the verdict.
  const whole = (schedule: readonly ScheduledInput[]): BaseRun =>
    new BaseRun(makeGuest().machine, record(schedule, NO_VERDICTS).past);
  const theirs = whole(withInput(others, event));
  const compare = (
    at: Instant | null,
  ): { partsAt: Instant | null; found: Pick<Bisection, 'difference' | 'differenceIn'> } => {
    const ours = whole(at === null ? others : withInput(others, { at, input: event.input }));
    const partsAt = firstParting(ours, theirs, Math.min(at ?? event.at, event.at));
    const differenceIn = at === null ? 'without' : 'interrupted';
    if (partsAt === null) return { partsAt, found: { difference: null, differenceIn } };
    const difference = firstDifference(ours, theirs, { good: at, bad: event.at });
    if (difference !== null || at === null) return { partsAt, found: { difference, differenceIn } };
    const inHandler = handlerDifference(ours, theirs, { good: at, bad: event.at });
    return { partsAt, found: { difference: inHandler, differenceIn: 'handler' } };
  };
  const { partsAt, found: nearest } = compare(goodAt);
  yield;
  const { difference, differenceIn } = nearest.difference === null ? compare(null).found : nearest;
  return {
    finding: bad.result.finding!,
    needed: found,
    candidates: suspects.length,
    common: common.length,
    bad,
    good: neighbour,
    goodAt,
    partsAt,
    difference,
    differenceIn,
    runs: runner.runs,
  };
}

/** The good run that is nearest: the event just behind its window, before it, or left out. */
function goodNeighbour(
  others: readonly ScheduledInput[],
  event: ScheduledInput,
  window: EventWindow,
  record: (schedule: readonly ScheduledInput[]) => ScheduledRun,
): { run: ScheduledRun; at: Instant | null } {
  const places = [
    ...(window.isOpenAfter ? [] : [window.last + 1]),
    ...(window.isOpenBefore ? [] : [window.first - 1]),
  ];
  for (const at of places) {
    const run = record(withInput(others, { at, input: event.input }));
    if (run.result.finding === null) return { run, at };
  }
  return { run: record(others), at: null };
}
