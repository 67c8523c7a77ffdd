/**
 * The museum of races: every placement of an event is tried from reset, and goes wrong where a race's
 * expected.json says, and nowhere on right code.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hasBinutils, hasMake, hasQemu, make, runUnderQemu } from '../guest/toolchain.js';
import { ROOT } from '../traces/support/recipe.js';
import { type Placement, placements, undisturbed } from './support/brute-force.js';
import { boundaryOf, experimentOf, raceNames, readRace } from './support/race.js';

/** The negative control. */
const CONTROL = 'r12-sti-shadow';

function badBoundaries(all: readonly Placement[]): string[] {
  return all.filter(({ isOpen, isBad }) => isOpen && isBad).map(boundaryOf);
}

test('there are at least fourteen, one of them the control', () => {
  const names = raceNames();
  expect(names.length).toBeGreaterThanOrEqual(14);
  expect(names).toContain(CONTROL);
});

describe.each(raceNames())('guest/races/%s', (name) => {
  const race = readRace(name);

  test('the wrong code goes wrong at exactly the boundaries of expected.json', () => {
    const all = placements(experimentOf(race, race.wrong));
    expect(badBoundaries(all)).toEqual(race.wrong.bad);
    expect(all.length > 0 && all.every(({ isBad }) => isBad)).toBe(race.isStarved === true);
    if (name !== CONTROL) expect(all.some(({ isBad }) => isBad)).toBe(true);
  });

  test.each(race.right)('the right code ($image $options) never goes wrong', (build) => {
    const experiment = experimentOf(race, build);
    expect(undisturbed(experiment).outcome.kind).toBe(
      undisturbed(experimentOf(race, race.wrong)).outcome.kind,
    );
    expect(placements(experiment).filter(({ isBad }) => isBad)).toEqual([]);
  });

  test('its README says what expected.json does, and its links lead somewhere', () => {
    const readme = readFileSync(`${ROOT}guest/races/${name}/README.md`, 'utf8');
    const found = readme.slice(readme.indexOf('## What must be found'));
    const named = [...found.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
    expect(named).toEqual(race.wrong.bad);
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1]);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((link) => !existsSync(`${ROOT}guest/races/${name}/${link}`))).toEqual([]);
  });
});

const images = raceNames().flatMap((name) => {
  const race = readRace(name);
  return [...new Set([race.wrong, ...race.right].map(({ image }) => image))];
});

test.skipIf(!hasBinutils || !hasMake)(
  'make gives the committed images, byte for byte (needs make, and as and ld of binutils 2.40)',
  () => {
    const folder = `${ROOT}guest/races`;
    const built = make(
      folder,
      images.map((image) => image.slice('guest/races/'.length)),
    );
    const differing = images.filter(
      (image, at) => !built[at].equals(readFileSync(`${ROOT}${image}`)),
    );
    expect(differing).toEqual([]);
  },
);

test
  .skipIf(!hasQemu)
  .each(['r01-iret-work', 'r05-iret-ds', 'r15-espfix', 'r16-lazy-mmu', 'vmi-iret'])(
  'without an event %s ends well under QEMU (needs qemu-system-i386)',
  (name) => {
    const { stdout, status } = runUnderQemu(`${ROOT}${readRace(name).wrong.image}`);
    expect({ stdout, status }).toEqual({ stdout: `${name}: OK\n`, status: 99 });
  },
);
