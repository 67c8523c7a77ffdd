/**
 * `holdoff explore` names exactly the boundaries of each race's expected.json for the wrong code, and
 * none for the right one.
 */
import { describe, expect, test } from 'vitest';
import { boundaries, placements } from './support/brute-force.js';
import { type ExploredBoundary, jsonOf } from './support/command.js';
import {
  type Build,
  boundaryOf,
  experimentOf,
  type Race,
  raceNames,
  readRace,
} from './support/race.js';

interface Row extends ExploredBoundary {
  readonly name: string;
}

function eventWords({ event }: Race): string[] {
  if (event.kind === 'irq') return ['--irq', String(event.line)];
  if (event.kind === 'nmi') return ['--nmi'];
  if (event.kind === 'exception') return ['--exception', String(event.vector)];
  throw new Error(`nothing places a ${event.kind}`);
}

/** The map of a race's range. */
async function explored(race: Race, build: Build): Promise<Row[]> {
  const range = boundaries(experimentOf(race, build));
  const from = range[0].at;
  const to = range[range.length - 1].at;
  const { boundaries: rows } = await jsonOf<{ boundaries: ExploredBoundary[] }>([
    'explore',
    build.image,
    '--memory',
    '4M',
    ...build.options,
    ...eventWords(race),
    ...race.verdict,
    '--workers',
    '1',
    '--from',
    `@${from}`,
    '--to',
    `@${to}`,
  ]);
  expect(rows.map(({ instant }) => instant)).toEqual(range.map(({ at }) => at));
  return rows.map((row, place) => ({ ...row, name: boundaryOf(range[place]) }));
}

describe.each(raceNames())('guest/races/%s', (name) => {
  const race = readRace(name);

  test('the boundaries of the wrong code are those of expected.json', async () => {
    const rows = await explored(race, race.wrong);
    const bad = rows.filter(({ mark }) => mark === 'bad');
    expect(bad.map((row) => row.name)).toEqual(race.wrong.bad);
    expect(rows.every(({ failure }) => failure !== null)).toBe(race.isStarved === true);
  });

  test.each(race.right)('the right code ($image $options) has none', async (build) => {
    const rows = await explored(race, build);
    expect(rows.filter(({ failure }) => failure !== null)).toEqual([]);
  });
});

test.each(['r03-iret-unmask', 'r10-sti-hlt', 'r16-lazy-mmu', 'vmi-iret'])(
  'what it proves equal and runs once is what a run from reset comes to, placement by placement: %s',
  async (name) => {
    const race = readRace(name);
    const rows = await explored(race, race.wrong);
    const tried = placements(experimentOf(race, race.wrong));
    expect(rows.map(({ failure }) => failure !== null)).toEqual(tried.map(({ isBad }) => isBad));
  },
);
