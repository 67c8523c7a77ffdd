/**
 * Exploring says the same as a naive loop, which runs each placement from reset and knows neither
 * checkpoints nor pruning.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { BaseRun } from '../../src/search/base-run.js';
import { summariseExploration } from '../../src/search/exploration.js';
import { type PlacementClass, placementClasses } from '../../src/search/placement-classes.js';
import { PlacementRunner } from '../../src/search/placement-runner.js';
import { type PlacedInput, RecordedPast, withInput } from '../../src/search/schedule.js';
import { runFromReset, type ScheduledRun } from '../../src/search/scheduled-run.js';
import type { TrialResult } from '../../src/search/trial.js';
import { Twin } from '../../src/search/twin.js';
import { compileVerdicts, type VerdictSpec } from '../../src/search/verdict.js';
import { lostWakeup, STATUS_NOTHING_SEEN } from './lost-wakeup.js';

const VERDICTS: VerdictSpec[] = [
  { kind: 'exit', text: `!=${STATUS_NOTHING_SEEN}` },
  { kind: 'assert', text: 'irq: u32[flag] == 0' },
  { kind: 'crash' },
  { kind: 'hang', steps: 2000 },
];
const verdicts = compileVerdicts(VERDICTS, lostWakeup().symbols);
const feed = 'nothing';
const BUDGET = 3000;
const FIRST = 10;

let base: ScheduledRun;
let instants: number[];

beforeAll(() => {
  const schedule: never[] = [];
  const past = new RecordedPast([], 0);
  base = runFromReset(lostWakeup(), { past, schedule, feed, verdicts, budget: BUDGET });
  const last = base.past.lastInstant;
  instants = Array.from({ length: last - FIRST + 1 }, (_, step) => FIRST + step);
});

/** Each placement in a run of its own, from reset. */
function bruteForce(input: PlacedInput): Map<number, TrialResult> {
  const results = new Map<number, TrialResult>();
  for (const at of instants) {
    const schedule = withInput(base.past.inputs, { at, input });
    const options = { past: base.past, schedule, feed, verdicts, budget: at + BUDGET } as const;
    results.set(at, runFromReset(lostWakeup(), options).result);
  }
  return results;
}

function explored(input: PlacedInput): {
  classes: PlacementClass[];
  results: Map<number, TrialResult>;
} {
  const run = new BaseRun(lostWakeup().machine, base.past);
  const twin = input.kind === 'exception' ? null : new Twin(run, lostWakeup().machine, feed);
  const classes = [...placementClasses(run, twin, [input], instants)];
  const runner = PlacementRunner.of(lostWakeup(), base, { verdicts, budget: BUDGET, feed });
  const results = new Map<number, TrialResult>();
  for (const { runAt } of classes) results.set(runAt, runner.try([{ at: runAt, input }]));
  return { classes, results };
}

describe.each<[string, PlacedInput]>([
  ['IRQ 0', { kind: 'irq', line: 0 }],
  ['an NMI', { kind: 'nmi' }],
  ['an exception without a handler', { kind: 'exception', vector: 6, errorCode: null }],
])('%s at each instant of a guest', (_, input) => {
  test('comes to what a run from reset comes to, to the instant', () => {
    const expected = bruteForce(input);
    const { classes, results } = explored(input);
    const found = new Map<number, TrialResult>();
    for (const { members, runAt } of classes) {
      for (const { at } of members) found.set(at, results.get(runAt)!);
    }
    expect([...found.keys()]).toEqual(instants);
    for (const at of instants) expect(found.get(at), `placed at @${at}`).toEqual(expected.get(at));
  });
});

test('placements of an IRQ are pruned where it is held off, and not where the guest sees it wait', () => {
  const { classes, results } = explored({ kind: 'irq', line: 0 });
  const { totals, rows, failures } = summariseExploration(classes, results);
  expect(totals.unreachable).toBeGreaterThan(20);
  expect(totals.runs + totals.unreachable).toBe(totals.placements);
  // Requests that wait are counted by the guest, up to three times: three ways to fail.
  const statuses = failures.filter(({ finding }) => finding.verdict === 0);
  expect(statuses.map(({ finding }) => /status \d+/.exec(finding.what)?.[0])).toEqual(
    expect.arrayContaining(['status 35', 'status 37', 'status 39']),
  );
  // From behind the test of the flag to before HLT the wakeup is lost; a halted guest takes it.
  const { symbols } = lostWakeup();
  const markAt = (name: string): string[] =>
    rows
      .filter(({ boundary }) => boundary.linear === symbols.address(name))
      .map(({ failure }) =>
        failure === null ? 'good' : VERDICTS[failures[failure].finding.verdict].kind,
      );
  expect(markAt('test')).toEqual(['good']);
  expect(markAt('wait')).toEqual(['hang']);
  expect(markAt('done')).toEqual(['good']);
});
