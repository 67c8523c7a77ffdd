/**
 * guest/window under the hypervisor with timer interrupts at random instants: nothing is lost, nothing
 * nests, no user mode with work pending. Few seeds; test/slow/vmi-seeds.slow.ts has two hundred.
 */
import { describe, expect, test } from 'vitest';
import { runSeed } from './support/window.js';

describe('the default scheme', () => {
  test('holds at every boundary', () => {
    const { violations } = runSeed('rollforward', 1, { maxInstructions: 250_000, isStepped: true });
    expect([...violations]).toEqual([]);
  });

  test.each([136, 4, 49])('holds with seed %i, with which others fail', (seed) => {
    const { violations, lastLine } = runSeed('rollforward', seed, { maxInstructions: 500_000 });
    expect([...violations]).toEqual([]);
    expect(lastLine).not.toMatch(/^[A-Z]+ ?[A-Z]+:/);
  });
});

describe('the naive scheme', () => {
  test.each([
    [136, 'nested', 'A and B', /^LOST WORK: task A .* at 0009:000c80[0-9a-f]{2};/],
    [49, 'stranded', 'C', /^[A-Z]+ [A-Z]+: /],
    [4, 'wrong-stack', 'F', /^WRONG STACK: IRQ 0 on the kernel's 16-bit stack, at 0009:000c80/],
  ] as const)('fails with seed %i: %s, interleaving %s', (seed, kind, _name, line) => {
    const { violations, lastLine } = runSeed('naive', seed);
    expect([...violations]).toContain(kind);
    expect(lastLine).toMatch(line);
  });
});

test('the checks at boundaries see what naive leaves behind', () => {
  expect(() => runSeed('naive', 49, { maxInstructions: 60_000, isStepped: true })).toThrow(
    /stranded|pending/,
  );
});
