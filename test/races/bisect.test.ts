/**
 * `holdoff bisect` finds in each race's trace the one event that is needed, and its window, which is the
 * run of boundaries of expected.json that the event lies in. On right code there is nothing to bisect.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRecipe, tracePath } from '../traces/support/recipe.js';
import { recordRecipe } from '../traces/support/recording.js';
import { boundaries } from './support/brute-force.js';
import { type BisectedDifference, type BisectedEvent, jsonOf } from './support/command.js';
import { explored, type Row } from './support/explored.js';
import { experimentOf, raceNames, readRace } from './support/race.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdoff-museum-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The rows around an instant that are all bad, or stand for bad ones. */
function badAround(rows: readonly Row[], at: number): Row[] {
  const middle = rows.findIndex(({ instant }) => instant === at);
  let first = middle;
  let end = middle;
  while (first > 0 && rows[first - 1].failure !== null) first -= 1;
  while (end < rows.length && rows[end].failure !== null) end += 1;
  return rows.slice(first, end);
}

const races = raceNames().map((name) => ({ name, race: readRace(name) }));
const failing = races.filter(({ race }) => race.wrong.bad.length > 0 || race.isStarved === true);

describe.each(failing)('traces/$name', ({ name, race }) => {
  test('needs its one event, within the window of expected.json', async () => {
    const { events } = await jsonOf<{ events: BisectedEvent[] }>([
      'bisect',
      tracePath(name, 'race.trace'),
      ...race.verdict,
    ]);
    expect(events.map(({ kind }) => kind)).toEqual([race.event.kind]);
    const [{ instant, window }] = events;
    const rows = await explored(race, race.wrong);
    const bad = badAround(rows, instant);
    // Beyond the race's range the window may go on.
    const first = Math.max(window.first, rows[0].instant);
    const last = Math.min(window.last, rows[rows.length - 1].instant);
    expect([first, last]).toEqual([bad[0].instant, bad[bad.length - 1].instant]);
    if (race.isStarved === true) return;
    const taken = rows.filter(
      (row) =>
        row.instant >= window.takenFirst && row.instant <= window.takenLast && row.mark === 'bad',
    );
    expect(taken.length).toBeGreaterThan(0);
    expect(taken[0].instant).toBe(window.takenFirst);
    expect(taken[taken.length - 1].instant).toBe(Math.min(window.takenLast, last));
    expect(race.wrong.bad).toEqual(expect.arrayContaining(taken.map((row) => row.name)));
  });
});

test.each([
  // Both runs end in the handler, in the wrong one before the interrupted code goes on.
  ['r03-iret-unmask', 'handler', 'guest_event+0x7', 'cmpl $0x0,0x1010da <in_section>'],
  ['r16-lazy-mmu', 'handler', 'set_entry+0x2', 'cmpl $0x0,0x1010d8 <is_lazy>'],
  ['r01-iret-work', 'interrupted', 'user_back', 'cmpl $0x0,0x1010da <need_resched>'],
])(
  'traces/%s: the first difference is in the %s, at %s',
  async (name, where, symbol, instruction) => {
    const found = await jsonOf<BisectedDifference>(['bisect', tracePath(name, 'race.trace')]);
    expect(found.differenceIn).toBe(where);
    expect(found.difference.bad).toMatchObject({ symbol, instruction });
  },
);

test('a recorded run that halts for ever is bad by that, unless told otherwise', async () => {
  const path = tracePath('r14-nmi-in-shadow', 'race.trace');
  const { verdict, events } = await jsonOf<{ verdict: string; events: BisectedEvent[] }>([
    'bisect',
    path,
  ]);
  expect(verdict).toMatch(/^--bad-hang \d+$/);
  expect(events).toHaveLength(1);
});

test.each(races)('on right code there is nothing to bisect: $name', async ({ name, race }) => {
  const recipe = readRecipe(name);
  const [build] = race.right;
  const range = boundaries(experimentOf(race, build));
  const { place } = range[Math.floor(range.length / 2)];
  const trace = recordRecipe({
    ...recipe,
    image: build.image,
    options: ['--memory', '4M', ...build.options],
    inputs: [{ input: race.event, before: place }],
  });
  const path = join(folder, `${name}.trace`);
  writeFileSync(path, trace);
  await expect(jsonOf(['bisect', path, ...race.verdict])).rejects.toThrow(/verdict/);
});
