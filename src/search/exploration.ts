/** What an exploration has found: a mark for each boundary, totals, and the failures that differ. */
import type { Instant } from '../replay/instant.js';
import type { Boundary } from './boundary.js';
import type { PlacementClass } from './placement-classes.js';
import type { TrialResult } from './trial.js';
import type { Finding } from './verdict-watch.js';

/**
 * What became of a placement. `good` and `bad`: it was tried. `unreachable`: the input is held off until
 * `runAt`, and that run is this one. `lost`: it changes nothing. `untried`: the search was stopped, or a script could not
 * tell.
 */
export type Mark = 'good' | 'bad' | 'unreachable' | 'lost' | 'untried';

/** A placement with its outcome. */
export interface PlacementRow {
  readonly boundary: Boundary;
  readonly mark: Mark;
  /** The instant of the run that stands for this placement. */
  readonly runAt: Instant;
  /** The place in `failures` of that run's failure; null where it is good, or was not tried. */
  readonly failure: number | null;
}

/** Failures that look the same: one verdict, and the same was seen at the same place. */
export interface Failure {
  readonly finding: Finding;
  /** The first placement that leads to it. */
  readonly runAt: Instant;
  /** How many of the tried placements do. */
  readonly runs: number;
}

/** Counts of placements, but `runs`. */
export interface ExplorationTotals {
  readonly placements: number;
  readonly good: number;
  readonly bad: number;
  readonly unreachable: number;
  readonly lost: number;
  readonly untried: number;
  /** How many runs it took. */
  readonly runs: number;
}

/** All of it. */
export interface Exploration {
  readonly rows: readonly PlacementRow[];
  readonly failures: readonly Failure[];
  readonly totals: ExplorationTotals;
  /** The first and the last boundary at which a placement makes the run bad; null where none does. */
  readonly firstBad: PlacementRow | null;
  readonly lastBad: PlacementRow | null;
}

/** @param results of the classes' runs by `runAt`; those of kind `lost` need none. */
export function summariseExploration(
  classes: readonly PlacementClass[],
  results: ReadonlyMap<Instant, TrialResult>,
): Exploration {
  const failures: Failure[] = [];
  const places = new Map<string, number>();
  const rows = classes.flatMap((placements) => {
    const { kind, members, runAt } = placements;
    const result = results.get(runAt) ?? null;
    const failure =
      kind === 'lost' || !result?.finding
        ? null
        : noteFailure(failures, places, result.finding, runAt);
    return members.map((boundary): PlacementRow => {
      const mark = markOf(placements, boundary, result);
      return { boundary, mark, runAt, failure };
    });
  });
  const count = (mark: Mark): number => rows.filter((row) => row.mark === mark).length;
  return {
    rows,
    failures,
    totals: {
      placements: rows.length,
      good: count('good'),
      bad: count('bad'),
      unreachable: count('unreachable'),
      lost: count('lost'),
      untried: count('untried'),
      runs: results.size,
    },
    firstBad: rows.find(({ mark }) => mark === 'bad') ?? null,
    lastBad: rows.findLast(({ mark }) => mark === 'bad') ?? null,
  };
}

/** What makes failures the same failure. */
export function failureKey({ verdict, eip, what }: Finding): string {
  return `${verdict} ${eip} ${what}`;
}

function markOf(
  { kind, runAt }: PlacementClass,
  { at }: Boundary,
  result: TrialResult | null,
): Mark {
  if (kind === 'lost') return 'lost';
  if (at !== runAt) return 'unreachable';
  if (result === null || result.isSkipped === true) return 'untried';
  return result.finding === null ? 'good' : 'bad';
}

function noteFailure(
  failures: Failure[],
  places: Map<string, number>,
  finding: Finding,
  runAt: Instant,
): number {
  const key = failureKey(finding);
  const known = places.get(key);
  if (known === undefined) {
    places.set(key, failures.length);
    failures.push({ finding, runAt, runs: 1 });
    return failures.length - 1;
  }
  failures[known] = { ...failures[known], runs: failures[known].runs + 1 };
  return known;
}
