/** Bisecting a run with events that matter and events that don't. */
import { describe, expect, test } from 'vitest';
import { type Bisection, bisect } from '../../src/search/bisect.js';
import { RecordedPast, type ScheduledInput } from '../../src/search/schedule.js';
import { runFromReset } from '../../src/search/scheduled-run.js';
import { compileVerdicts } from '../../src/search/verdict.js';
import { lostWakeup } from './lost-wakeup.js';

const { symbols } = lostWakeup();
/** The guest is about to halt though its wakeup has come. */
const LOST = compileVerdicts([{ kind: 'assert', text: 'wait: u32[flag] == 0' }], symbols);
/** A wakeup that comes while the guest halts. */
const WAKING: ScheduledInput = { at: 1000, input: { kind: 'irq', line: 0 } };
const NMI = (at: number): ScheduledInput => ({ at, input: { kind: 'nmi' } });
const feed = 'nothing';

function recorded(schedule: readonly ScheduledInput[]): RecordedPast {
  const past = new RecordedPast([], 0);
  const verdicts = compileVerdicts([], symbols);
  return runFromReset(lostWakeup(), { past, schedule, feed, verdicts, budget: 5000 }).past;
}

function bisected(past: RecordedPast, good: RecordedPast | null, verdicts = LOST): Bisection {
  const search = bisect(lostWakeup, past, good, { verdicts, feed, budget: 5000 });
  for (;;) {
    const step = search.next();
    if (step.done === true) return step.value;
  }
}

/** The instant at which the guest is about to halt. */
function haltsAt(): number {
  const { events } = recorded([WAKING]);
  const woken = events.find(({ kind }) => kind === 'accept');
  return woken!.at - 1;
}

describe('a bad run with events beside the one that matters', () => {
  // A first request is taken while it waits in the guest's loop, and so is seen; NMIs do no harm.
  const seen = compileVerdicts([{ kind: 'exit', text: '!=0x21' }], symbols);
  const past = recorded([NMI(22), { at: 36, input: { kind: 'irq', line: 0 } }, NMI(70), WAKING]);

  test('is reduced to that one, of which the whole window is found', () => {
    const { needed, candidates } = bisected(past, null, seen);
    expect(candidates).toBeGreaterThanOrEqual(3);
    const irqs = needed.filter(({ event }) => event.input.kind === 'irq');
    expect(needed.some(({ event }) => event.input.kind === 'nmi')).toBe(false);
    expect(irqs[0].event.at).toBe(36);
    const { first, last, isOpenBefore, isOpenAfter } = irqs[0].window;
    expect([isOpenBefore, isOpenAfter]).toEqual([false, false]);
    expect(first).toBeLessThan(36);
    expect(last).toBeGreaterThan(36);
  });

  test('the two runs that are kept differ in one event, and in their verdict', () => {
    const { bad, good } = bisected(past, null, seen);
    expect(bad.result.finding).not.toBeNull();
    expect(good.result.finding).toBeNull();
    expect(Math.abs(bad.past.inputs.length - good.past.inputs.length)).toBeLessThanOrEqual(1);
  });
});

describe('a wakeup that is lost', () => {
  const halts = haltsAt();
  const past = recorded([{ at: halts - 1, input: { kind: 'irq', line: 0 } }]);

  test('is bad from behind the test of the flag to before HLT', () => {
    const { needed, goodAt, partsAt } = bisected(past, recorded([WAKING]));
    expect(needed.map(({ event }) => event.at)).toEqual([halts - 1]);
    expect(needed[0].window).toMatchObject({ first: halts - 2, last: halts });
    expect(goodAt).toBe(halts + 1);
    expect(partsAt).toBe(halts - 1);
  });

  test('leaves no instruction with another result: the guest just sleeps', () => {
    const { difference } = bisected(past, null);
    expect(difference).toBeNull();
  });
});

test('a run in which no verdict holds is refused', () => {
  expect(() => bisected(recorded([WAKING]), null)).toThrow('the run is good');
});
