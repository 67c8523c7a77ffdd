/**
 * Exploring pairs says the same as a naive loop, which runs each pair from reset and knows neither
 * checkpoints nor pruning.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { BaseRun } from '../../src/search/base-run.js';
import type { Guest } from '../../src/search/guest.js';
import {
  type PairExploration,
  type PairRow,
  secondsOf,
  summarisePairs,
  type Which,
} from '../../src/search/pair-exploration.js';
import {
  type PlacementClass,
  placementClasses,
  twinFor,
} from '../../src/search/placement-classes.js';
import type { ExploredClasses } from '../../src/search/placement-lookup.js';
import { PlacementRunner } from '../../src/search/placement-runner.js';
import {
  isSameInput,
  type PlacedInput,
  RecordedPast,
  withInputs,
} from '../../src/search/schedule.js';
import { runFromReset, type ScheduledRun } from '../../src/search/scheduled-run.js';
import { type SecondClass, SecondPlacements } from '../../src/search/second-placements.js';
import type { TrialResult } from '../../src/search/trial.js';
import { Twin } from '../../src/search/twin.js';
import { compileVerdicts } from '../../src/search/verdict.js';
import { lostWakeup, STATUS_NOTHING_SEEN } from './lost-wakeup.js';

const verdicts = compileVerdicts(
  [
    { kind: 'exit', text: `!=${STATUS_NOTHING_SEEN}` },
    { kind: 'assert', text: 'irq: u32[nmis] == 0' },
    { kind: 'crash' },
    { kind: 'hang', steps: 2000 },
  ],
  lostWakeup().symbols,
);
const feed = 'nothing';
const BUDGET = 3000;

let base: ScheduledRun;
/** Around STI, REP STOSB, the test of the flag and HLT. */
let instants: number[];

beforeAll(() => {
  const past = new RecordedPast([], 0);
  base = runFromReset(lostWakeup(), { past, schedule: [], feed, verdicts, budget: BUDGET });
  const last = base.past.lastInstant;
  instants = Array.from({ length: 28 }, (_, step) => last - 27 + step);
});

const guest = lostWakeup();
const { physical } = guest.machine.cpu.core;
const state = guest.machine.save();
const ram = physical.ram.slice();

/** A guest at reset, with all of its RAM as it was loaded. */
function fresh(): Guest {
  physical.load(0, ram);
  guest.machine.restore(state);
  return guest;
}

type Pairs = readonly [PlacedInput, PlacedInput];

function runWith(run: ScheduledRun, inputs: readonly PlacedInput[], at: number): ScheduledRun {
  const { past } = run;
  const placed = inputs.map((input) => ({ at, input }));
  const schedule = withInputs(past.inputs, placed);
  return runFromReset(fresh(), { past, schedule, feed, verdicts, budget: at + BUDGET });
}

/** Each pair in a run of its own, from reset: whether it is bad, by `first@instant second@instant`. */
function bruteForce(inputs: Pairs, orders: readonly Which[]): Map<string, TrialResult> {
  const results = new Map<string, TrialResult>();
  for (const which of orders) {
    const [first, second] = which === 0 ? inputs : [inputs[1], inputs[0]];
    for (const at of instants) {
      const one = runWith(base, [first], at);
      const end = one.past.lastInstant - (one.result.finding === null ? 0 : 1);
      if (which === 0) results.set(`0@${at} @${at}`, runWith(base, [first, second], at).result);
      for (const secondAt of instants.filter((each) => each > at && each <= end)) {
        results.set(`${which}@${at} @${secondAt}`, runWith(one, [second], secondAt).result);
      }
    }
  }
  return results;
}

function explored(inputs: Pairs, orders: readonly Which[]): PairExploration {
  const { machine } = lostWakeup();
  const run = new BaseRun(machine, base.past);
  const twin = new Twin(run, lostWakeup().machine, feed);
  const options = { verdicts, budget: BUDGET, feed } as const;
  const runner = PlacementRunner.of(lostWakeup(), base, options);
  const behind = new SecondPlacements(runner, feed, () => lostWakeup().machine);
  const place = (placed: readonly PlacedInput[]): ExploredClasses => {
    const beside = twinFor(placed, () => twin);
    const classes: PlacementClass[] = [...placementClasses(run, beside, placed, instants)];
    const results = new Map<number, TrialResult>();
    for (const { kind, runAt: at } of classes) {
      if (kind === 'held') results.set(at, runner.try(placed.map((input) => ({ at, input }))));
    }
    return { classes, results };
  };
  const lastOf = (): number => instants[instants.length - 1];
  const alone = [place([inputs[0]]), place([inputs[1]])] as const;
  const seconds = new Map<string, SecondClass[]>();
  for (const which of orders) {
    const [first, second] = which === 0 ? inputs : [inputs[1], inputs[0]];
    for (const { at, to } of secondsOf(alone[which].classes, new Set(instants), lastOf)) {
      const range = { first: { at, input: first }, input: second, to };
      seconds.set(`${which}@${at}`, behind.try(range));
    }
  }
  return summarisePairs({
    inputs,
    orders,
    firsts: instants,
    lastOf,
    alone,
    together: place(inputs),
    seconds: (which, at) => seconds.get(`${which}@${at}`),
  });
}

function allPairs({ rows }: PairExploration): Map<string, PairRow> {
  return new Map(
    rows.flatMap(({ first, boundary, pairs }) =>
      pairs.map((pair) => [`${first}@${boundary.at} @${pair.boundary.at}`, pair] as const),
    ),
  );
}

const IRQ: PlacedInput = { kind: 'irq', line: 0 };
const NMI: PlacedInput = { kind: 'nmi' };
const UD: PlacedInput = { kind: 'exception', vector: 6, errorCode: null };

describe.each<[string, Pairs]>([
  ['an IRQ and an NMI', [IRQ, NMI]],
  ['two IRQs', [IRQ, IRQ]],
  ['an NMI and an exception without a handler', [NMI, UD]],
])('%s at each pair of instants', (_, inputs) => {
  test('come to what runs from reset come to, to the instant', () => {
    const orders: Which[] = isSameInput(...inputs) ? [0] : [0, 1];
    const exploration = explored(inputs, orders);
    const found = allPairs(exploration);
    const expected = bruteForce(inputs, orders);
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [pair, { mark, failure }] of found) {
      const { finding } = expected.get(pair)!;
      expect(mark, pair).toBe(finding === null ? 'good' : 'bad');
      if (failure === null) continue;
      const { verdict, eip, what } = exploration.failures[failure].finding;
      expect({ verdict, eip, what }, pair).toMatchObject({
        verdict: finding!.verdict,
        eip: finding!.eip,
        what: finding!.what,
      });
    }
  }, 60_000);
});

test('an NMI before an IRQ fails where neither does alone, and equal pairs are run once', () => {
  const { totals, failures, rows } = explored([IRQ, NMI], [0, 1]);
  const { pairs, pruned, runs } = totals;
  expect(pruned['first held']).toBeGreaterThan(0);
  expect(pruned['second held']).toBeGreaterThan(0);
  expect(runs).toBeLessThan(pairs);
  const both = failures.filter(({ takesBoth }) => takesBoth);
  // The assertion of the interrupt says that no NMI has come.
  expect(both.map(({ finding }) => finding.verdict)).toContain(1);
  for (const row of rows) {
    const unexplained = row.pairs.filter((pair) => pair.mark === 'bad' && !pair.explainedBy);
    if (unexplained.length > 0) expect(row.alone).not.toBe('bad');
  }
});
