/**
 * guest/window under the hypervisor with timer interrupts at random instants: nothing is lost, nothing
 * nests, no user mode with work pending. Few seeds; test/slow/vmi-seeds.slow.ts has two hundred.
 */
import { describe, expect, test } from 'vitest';
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

describe('the naive scheme', () => {
  test.each([
    ['inline', 10, 'nested', 'A and B', /^LOST WORK: task A .* at 0009:000c80[0-9a-f]{2};/],
    ['inline', 1, 'stranded', 'C', /^[A-Z]+ [A-Z]+: /],
    [
      'inline',
      4,
      'wrong-stack',
      'F',
      /^WRONG STACK: IRQ 0 on the kernel's 16-bit stack, at 0009:000c80/,
    ],
    ['rom', 4, 'nested', 'A and B', /^LOST WORK: task A .* at 0009:000c8[0-9a-f]{3};/],
    ['rom', 1, 'stranded', 'C', /^[A-Z]+ [A-Z]+: /],
    [
      'rom',
      27,
      'wrong-stack',
      'F',
      /^WRONG STACK: IRQ 0 on the kernel's 16-bit stack, at 0009:000c8/,
    ],
  ] as const)(
    'of --vmi %s fails with seed %i: %s, interleaving %s',
    (way, seed, kind, _name, line) => {
      const { violations, lastLine } = runSeed(way, 'naive', seed);
      expect([...violations]).toContain(kind);
      expect(lastLine).toMatch(line);
    },
  );
});

test.each([
  ['inline', 23],
  ['rom', 1],
] as const)('the checks at boundaries see what naive leaves behind, --vmi %s', (way, seed) => {
  expect(() => runSeed(way, 'naive', seed, { maxInstructions: 100_000, isStepped: true })).toThrow(
    /stranded|pending/,
  );
});
