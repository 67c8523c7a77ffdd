/**
 * What two placed inputs come to: a mark for each pair of instants, and which pairs fail though neither
 * input alone does there.
 */
import type { Instant } from '../replay/instant.js';
import type { Boundary } from './boundary.js';
import { failureKey } from './exploration.js';
import type { PlacementClass } from './placement-classes.js';
import { type ExploredClasses, memberOf, Placements } from './placement-lookup.js';
import type { PlacedInput, ScheduledInput } from './schedule.js';
import type { SecondClass } from './second-placements.js';
import type { TrialResult } from './trial.js';
import type { Finding } from './verdict-watch.js';

/** The place of an input among the two. */
export type Which = 0 | 1;

/** All that was found out. */
export interface PairFindings {
  readonly inputs: readonly [PlacedInput, PlacedInput];
  /** Which of them comes first; one order where both are the same. */
  readonly orders: readonly Which[];
  /** The instants of the first input, ascending, and the last one of the second to each. */
  readonly firsts: readonly Instant[];
  readonly lastOf: (first: Instant) => Instant;
  readonly alone: readonly [ExploredClasses, ExploredClasses];
  readonly together: ExploredClasses;
  /** What `secondsOf` found; undefined where the search was stopped before. */
  readonly seconds: (first: Which, at: Instant) => readonly SecondClass[] | undefined;
}

/**
 * Why a pair was not run itself. `first held`: its first input is held off, and another pair has it later.
 * `second held`: likewise. `no effect`: one of the two changes nothing.
 */
export type PairPruning = 'first held' | 'second held' | 'no effect';

/** A pair with its outcome. */
export interface PairRow {
  /** Where the run with the first input is at the instant of the second. */
  readonly boundary: Boundary;
  readonly mark: 'good' | 'bad' | 'untried';
  /** The inputs of the run that stands for this pair. */
  readonly placed: readonly ScheduledInput[];
  readonly pruning: PairPruning | null;
  /** The place in `failures`; null unless it is bad. */
  readonly failure: number | null;
  /** Which input makes a run bad alone, placed there; null where it takes both. */
  readonly explainedBy: 'first' | 'second' | null;
}

/** An instant of the first input, with all of the second. */
export interface FirstRow {
  readonly boundary: Boundary;
  readonly first: Which;
  /** What the first alone comes to. */
  readonly alone: 'good' | 'bad' | 'untried';
  /** The instant at which it is taken. */
  readonly runAt: Instant;
  readonly pairs: readonly PairRow[];
  /** Further pairs, of which not even the run with the first was made. */
  readonly unknown: number;
}

/** Failures that look the same; those that no single placement explains are apart from the others. */
export interface PairFailure {
  readonly finding: Finding;
  /** The first run that leads to it. */
  readonly placed: readonly ScheduledInput[];
  readonly runs: number;
  readonly takesBoth: boolean;
}

/** Counts of pairs, but `runs`. */
export interface PairTotals {
  readonly pairs: number;
  readonly good: number;
  readonly bad: number;
  /** Of the bad ones those that no single placement explains. */
  readonly unexplained: number;
  readonly untried: number;
  readonly pruned: Readonly<Record<PairPruning, number>>;
  /** How many runs it took, those of single placements included. */
  readonly runs: number;
}

/** All of it. */
export interface PairExploration {
  readonly inputs: readonly [PlacedInput, PlacedInput];
  readonly rows: readonly FirstRow[];
  readonly failures: readonly PairFailure[];
  readonly totals: PairTotals;
}

/** A run that stands for pairs, before it is judged. */
interface StandIn {
  readonly boundary: Boundary;
  readonly placed: readonly ScheduledInput[];
  readonly pruning: PairPruning | null;
  /** Undefined where it was not run. */
  readonly result: TrialResult | null | undefined;
  /** Where the second input is taken; null where that is of no account. */
  readonly secondEip: number | null;
}

/** The instants behind which seconds must be placed, with the last instant of each: by the first's runs. */
export function secondsOf(
  classes: readonly PlacementClass[],
  firsts: ReadonlySet<Instant>,
  lastOf: (first: Instant) => Instant,
): { readonly at: Instant; readonly to: Instant }[] {
  return classes.flatMap(({ kind, members, runAt }) => {
    if (kind !== 'held') return [];
    const lasts = members.filter(({ at }) => firsts.has(at)).map(({ at }) => lastOf(at));
    const to = Math.max(...lasts);
    return to > runAt ? [{ at: runAt, to }] : [];
  });
}

/** Judges all pairs. */
export function summarisePairs(findings: PairFindings): PairExploration {
  const { inputs, orders, firsts, lastOf, together } = findings;
  const alone = findings.alone.map((each) => new Placements(each));
  const both = new Placements(together);
  const failures = new Failures();
  const pruned: Record<PairPruning, number> = { 'first held': 0, 'second held': 0, 'no effect': 0 };

  const single = (which: Which, at: Instant): Pick<StandIn, 'placed' | 'result'> => {
    const found = alone[which].at(at)?.placements;
    const placed = found?.kind === 'held' ? [{ at: found.runAt, input: inputs[which] }] : [];
    return { placed, result: alone[which].resultAt(at) };
  };

  const standIn = (first: Which, at: Instant, secondAt: Instant): StandIn | 'unknown' | null => {
    const second = other(first);
    const here = alone[first].at(at);
    if (here === undefined) return null;
    const { placements } = here;
    if (placements.kind !== 'held') {
      const boundary = alone[second].at(secondAt)?.boundary;
      if (boundary === undefined) return null;
      return { boundary, ...single(second, secondAt), pruning: 'no effect', secondEip: null };
    }
    if (secondAt <= placements.runAt) return standInTogether(at, secondAt);
    const seconds = findings.seconds(first, placements.runAt);
    if (seconds === undefined) return 'unknown';
    const found = memberOf(seconds, secondAt);
    if (found === null) return null;
    const { each, boundary } = found;
    const firstRun = { at: placements.runAt, input: inputs[first] };
    if (each.kind !== 'held') {
      const { result } = single(first, at);
      return { boundary, placed: [firstRun], result, pruning: 'no effect', secondEip: null };
    }
    return {
      boundary,
      placed: [firstRun, { at: each.runAt, input: inputs[second] }],
      result: each.result,
      pruning: pruningOf(at !== placements.runAt, secondAt !== each.runAt),
      secondEip: each.runEip,
    };
  };

  // While the first is held off it is as if it came with the second; the order at one instant is of no
  // account, since requests wait side by side.
  const standInTogether = (at: Instant, secondAt: Instant): StandIn | null => {
    const found = both.at(secondAt);
    if (found === undefined) return null;
    const { boundary, placements } = found;
    const { kind, runAt, runEip } = placements;
    if (kind === 'held') {
      return {
        boundary,
        placed: inputs.map((input) => ({ at: runAt, input })),
        result: both.results.get(runAt),
        pruning: pruningOf(at !== secondAt, secondAt !== runAt),
        secondEip: runEip,
      };
    }
    const left = kind === 'lost' ? null : kind === 'first' ? 0 : 1;
    const what = left === null ? { placed: [], result: null } : single(left, secondAt);
    return { boundary, ...what, pruning: 'no effect', secondEip: null };
  };

  const rowOf = (first: Which, at: Instant, secondAt: Instant): PairRow | 'unknown' | null => {
    const found = standIn(first, at, secondAt);
    if (found === null || found === 'unknown') return found;
    const { boundary, placed, pruning, result, secondEip } = found;
    if (pruning !== null) pruned[pruning] += 1;
    if (result === undefined || result?.isSkipped === true) {
      return { boundary, placed, pruning, mark: 'untried', failure: null, explainedBy: null };
    }
    const finding = result?.finding ?? null;
    if (finding === null) {
      return { boundary, placed, pruning, mark: 'good', failure: null, explainedBy: null };
    }
    const isSecondBad = placed.length < 2 || alone[other(first)].badEips.has(secondEip ?? -1);
    const isFirstBad = (alone[first].resultAt(at)?.finding ?? null) !== null;
    const explainedBy = isFirstBad ? 'first' : isSecondBad ? 'second' : null;
    const failure = failures.note(finding, placed, explainedBy === null);
    return { boundary, placed, pruning, mark: 'bad', failure, explainedBy };
  };

  const rows = orders.flatMap((first) =>
    firsts.flatMap((at): FirstRow[] => {
      const here = alone[first].at(at);
      if (here === undefined) return [];
      const pairs: PairRow[] = [];
      let unknown = 0;
      // Both at one instant are a pair once.
      for (let secondAt = first === 0 ? at : at + 1; secondAt <= lastOf(at); secondAt++) {
        const row = rowOf(first, at, secondAt);
        if (row === 'unknown') unknown += 1;
        else if (row !== null) pairs.push(row);
      }
      const result = alone[first].resultAt(at);
      const mark = result === undefined ? 'untried' : result?.finding ? 'bad' : 'good';
      const { boundary, placements } = here;
      return [{ boundary, first, alone: mark, runAt: placements.runAt, pairs, unknown }];
    }),
  );
  return { inputs, rows, failures: failures.list, totals: totalsOf(rows, pruned, findings) };
}

function other(which: Which): Which {
  return which === 0 ? 1 : 0;
}

function pruningOf(isFirstHeld: boolean, isSecondHeld: boolean): PairPruning | null {
  if (isFirstHeld) return 'first held';
  return isSecondHeld ? 'second held' : null;
}

/** Failures as they are met, each run counted once. */
class Failures {
  readonly list: PairFailure[] = [];
  readonly #places = new Map<string, number>();
  readonly #runs = new Set<string>();

  note(finding: Finding, placed: readonly ScheduledInput[], takesBoth: boolean): number {
    const key = `${takesBoth} ${failureKey(finding)}`;
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.list.length;
      this.#places.set(key, place);
      this.list.push({ finding, placed, runs: 0, takesBoth });
    }
    const run = `${place} ${JSON.stringify(placed)}`;
    if (!this.#runs.has(run)) {
      this.#runs.add(run);
      this.list[place] = { ...this.list[place], runs: this.list[place].runs + 1 };
    }
    return place;
  }
}

function totalsOf(
  rows: readonly FirstRow[],
  pruned: Readonly<Record<PairPruning, number>>,
  { alone, together, orders, seconds }: PairFindings,
): PairTotals {
  const pairs = rows.flatMap((row) => row.pairs);
  const unknown = rows.reduce((sum, row) => sum + row.unknown, 0);
  const count = (mark: PairRow['mark']): number => pairs.filter((row) => row.mark === mark).length;
  const behind = new Map<string, number>();
  for (const { first, runAt } of rows) {
    const classes = seconds(first, runAt) ?? [];
    behind.set(`${first}@${runAt}`, classes.filter(({ kind }) => kind === 'held').length);
  }
  const tried = [...(orders.length === 1 ? alone.slice(0, 1) : alone), together];
  return {
    pairs: pairs.length + unknown,
    good: count('good'),
    bad: count('bad'),
    unexplained: pairs.filter(({ mark, explainedBy }) => mark === 'bad' && explainedBy === null)
      .length,
    untried: count('untried') + unknown,
    pruned,
    runs:
      tried.reduce((sum, { results }) => sum + results.size, 0) +
      [...behind.values()].reduce((sum, runs) => sum + runs, 0),
  };
}
