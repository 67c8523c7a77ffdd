/** The interval of instants in which an event must come to make a run bad. */
import type { Instant } from '../replay/instant.js';
import { BaseRun } from './base-run.js';
import type { GuestMaker } from './guest.js';
import { type PlacementClass, placementClasses, twinFor } from './placement-classes.js';
import { PlacementRunner } from './placement-runner.js';
import type { ScheduledInput } from './schedule.js';
import type { Feed } from './schedule-source.js';
import type { ScheduledRun } from './scheduled-run.js';
import type { TrialResult } from './trial.js';
import { Twin } from './twin.js';
import type { CompiledVerdicts } from './verdict.js';

/** What was found about an event's place. */
export interface EventWindow {
  /** The first and the last instant at which the event may come; all between them are bad too. */
  readonly first: Instant;
  readonly last: Instant;
  /** Nothing bounds it on this side but the run's start, or the limit of the search. */
  readonly isOpenBefore: boolean;
  readonly isOpenAfter: boolean;
  /** The placements around it, and what came of them by `runAt`. */
  readonly classes: readonly PlacementClass[];
  readonly results: ReadonlyMap<Instant, TrialResult>;
}

/** How far it is looked on either side. */
const REACH_FIRST = 32;
const REACH_MOST = 8192;

/** How it is looked for. */
export interface EventWindowOptions {
  readonly verdicts: CompiledVerdicts;
  readonly budget: number;
  readonly feed: Feed;
}

/**
 * Finds the window around an event. Yields between runs.
 * @param base a run without the event, good.
 * @param event one that makes it bad.
 */
export function* eventWindow(
  makeGuest: GuestMaker,
  base: ScheduledRun,
  event: ScheduledInput,
  options: EventWindowOptions,
): Generator<undefined, EventWindow> {
  const { input } = event;
  const run = new BaseRun(makeGuest().machine, base.past);
  const twin = twinFor([input], () => new Twin(run, makeGuest().machine, options.feed));
  const runner = PlacementRunner.of(makeGuest(), base, options);
  const results = new Map<Instant, TrialResult>();
  const end = base.past.lastInstant;
  for (let reach = REACH_FIRST; ; reach *= 4) {
    const from = Math.max(0, event.at - reach);
    const to = Math.min(end, event.at + reach);
    const instants = Array.from({ length: to - from + 1 }, (_, step) => from + step);
    const classes = [...placementClasses(run, twin, [input], instants)];
    const isBad = new Map<Instant, boolean>();
    // Outwards from the event: what lies beyond its window is of no interest.
    for (const direction of [-1, 1]) {
      const start = classes.findIndex(({ members }) => members.some(({ at }) => at === event.at));
      for (let place = start; place >= 0 && place < classes.length; place += direction) {
        const { kind, members, runAt } = classes[place];
        if (kind === 'held' && !results.has(runAt)) {
          yield;
          results.set(runAt, runner.try([{ at: runAt, input }]));
        }
        const bad = kind === 'held' && results.get(runAt)?.finding !== null;
        for (const { at } of members) isBad.set(at, bad);
        if (!bad) break;
      }
    }
    let first = event.at;
    let last = event.at;
    while (isBad.get(first - 1) === true) first -= 1;
    while (isBad.get(last + 1) === true) last += 1;
    const isOpenBefore = first === from;
    const isOpenAfter = last === to;
    const canGrow = (isOpenBefore && from > 0) || (isOpenAfter && to < end);
    if (!canGrow || reach >= REACH_MOST) {
      return { first, last, isOpenBefore, isOpenAfter, classes, results };
    }
  }
}
