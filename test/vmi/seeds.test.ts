/**
 * guest/window under the hypervisor with timer interrupts at random instants: nothing is lost, nothing
 * nests, no user mode with work pending. Few seeds; test/slow/vmi-seeds.slow.ts has two hundred.
 */
import { describe, expect, test } from 'vitest';
import type { ViolationKind } from '../../src/vmi/violations.js';
import { runSeed, WAYS } from './support/window.js';

describe.each(WAYS)('with --vmi %s the default scheme', (way) => {
  test('holds at every boundary', () => {
    const { violations } = runSeed(way, 'rollforward', 1, {
      maxInstructions: 250_000,
      isStepped: true,
    });
    expect([...violations]).toEqual([]);
  });

  test.each([1, 4, 27])('holds with seed %i, with which naive fails', (seed) => {
    const { violations, lastLine } = runSeed(way, 'rollforward', seed, {
      maxInstructions: 500_000,
    });
    expect([...violations]).toEqual([]);
    expect(lastLine).not.toMatch(/^[A-Z]+ ?[A-Z]+:/);
  });
});

/** Which seed fails how changes with the guest's image: the first of them that do are looked for. */
const FIRST_SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);

test.each([
  ['inline', ['nested', 'stranded', 'wrong-stack']],
  ['rom', ['nested', 'stranded']],
] as const)('the naive scheme of --vmi %s fails with few seeds in these ways: %j', (way, kinds) => {
  const seen = new Set<ViolationKind>();
  for (const seed of FIRST_SEEDS) {
    const { violations, lastLine } = runSeed(way, 'naive', seed);
    expect(lastLine).toMatch(/^(LOST WORK|WRONG STACK): .* at 0009:000c8[0-9a-f]{3}[;,]/);
    for (const kind of violations) seen.add(kind);
    if (kinds.every((kind) => seen.has(kind))) break;
  }
  expect([...seen]).toEqual(expect.arrayContaining([...kinds]));
});

test.each(WAYS)('the checks at boundaries see what naive leaves behind, --vmi %s', (way) => {
  const isSeen = (seed: number): boolean => {
    try {
      runSeed(way, 'naive', seed, { maxInstructions: 100_000, isStepped: true });
      return false;
    } catch (error) {
      expect(String(error)).toMatch(/stranded|pending/);
      return true;
    }
  };
  expect(FIRST_SEEDS.some(isSeen)).toBe(true);
});
