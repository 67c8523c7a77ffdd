/**
 * Two hundred seeds of the random clock: the default IRET scheme never fails a check of the guest's or of
 * the hypervisor's, the naive one fails them all.
 */
import { expect, test } from 'vitest';
import type { ViolationKind } from '../../src/vmi/violations.js';
import { runSeed } from '../vmi/support/window.js';

const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1);

test('rollforward: no lost interrupt, no nesting, no user mode with work pending', () => {
  const failures = SEEDS.filter((seed) => {
    const { lastLine, violations } = runSeed('rollforward', seed);
    return lastLine !== 'DONE' || violations.size > 0;
  });
  expect(failures).toEqual([]);
}, 7_200_000);

test('naive: interleavings A, B, C and F all occur', () => {
  const kinds = new Set<ViolationKind>();
  const ends = new Set<string>();
  for (const seed of SEEDS) {
    const { lastLine, violations } = runSeed('naive', seed);
    for (const kind of violations) kinds.add(kind);
    ends.add(lastLine.split(':')[0]);
  }
  expect([...kinds].sort()).toEqual(['nested', 'stranded', 'wrong-stack']);
  expect([...ends].sort()).toEqual(['LOST WORK', 'WRONG STACK']);
}, 3_600_000);
