/**
 * `holdoff explore` names exactly the boundaries of each race's expected.json for the wrong code, and
 * none for the right one.
 */
import { describe, expect, test } from 'vitest';
import { placements } from './support/brute-force.js';
import { explored } from './support/explored.js';
import { experimentOf, raceNames, readRace } from './support/race.js';

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
