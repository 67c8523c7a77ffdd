/**
 * Two hundred seeds of the random clock, of annotated sites and of the ROM: the default IRET scheme never
 * fails a check of the guest's or of the hypervisor's, the naive one fails them all.
 */
import { describe, expect, test } from 'vitest';
import type { ViolationKind } from '../../src/vmi/violations.js';
import { runSeed, WAYS } from '../vmi/support/window.js';

const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1);

describe.each(WAYS)('--vmi %s', (way) => {
  test('rollforward: no lost interrupt, no nesting, no user mode with work pending', () => {
    const failures = SEEDS.filter((seed) => {
      const { lastLine, violations } = runSeed(way, 'rollforward', seed);
      return lastLine !== 'DONE' || violations.size > 0;
    });
    expect(failures).toEqual([]);
  }, 7_200_000);

  test('naive: interleavings A, B, C and F all occur', () => {
    const kinds = new Set<ViolationKind>();
    const ends = new Map<string, number>();
    for (const seed of SEEDS) {
      const { lastLine, violations } = runSeed(way, 'naive', seed);
      for (const kind of violations) kinds.add(kind);
      const end = lastLine.split(':')[0];
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    process.stdout.write(`--vmi ${way}: ${JSON.stringify([...ends])}\n`);
    expect([...kinds].sort()).toEqual(['nested', 'stranded', 'wrong-stack']);
    expect([...ends.keys()].sort()).toEqual(['LOST WORK', 'WRONG STACK']);
  }, 3_600_000);
});
