/**
 * Privilege, gates, tasks, faults and paging, asked by small kernels that print what they found: our
 * answers are the manual's, on each engine.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MachineOptions } from '../../src/machine/machine-options.js';
import { hasBinutils, hasMake, make } from '../guest/toolchain.js';
import { DONE, expectedLines, FOLDER, KERNELS, LETHAL, runHere, TRIPLE } from './kernels.js';

const ENGINES: readonly [string, Partial<MachineOptions>][] = [
  ['interpreted', { engine: 'interpreter' }],
  ['compiled at the first entry', { hotEntries: 1 }],
];

describe.each([...KERNELS, LETHAL])('the kernel "%s"', (kernel) => {
  test.each(ENGINES)("gives the manual's answers, %s", (_, options) => {
    expect(runHere(kernel, options)).toEqual({ lines: expectedLines(kernel), end: DONE });
  });

  test('has no two checks of one name', () => {
    const names = expectedLines(kernel).map((line) => line.split(' -> ')[0]);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});

describe('the kernel "shutdown"', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('ends in a triple fault, way %i', (way) => {
    const ended = { lines: ['into it'], end: 'shutdown' };
    expect(runHere(TRIPLE, { engine: 'interpreter' }, `${way}`)).toEqual(ended);
  });

  test('ends of itself where it is told no way', () => {
    expect(runHere(TRIPLE, {}, '0')).toEqual({ lines: ['into it', 'DONE'], end: DONE });
  });
});

test.skipIf(!hasBinutils || !hasMake)(
  'the images are what their sources give, byte for byte (needs make and binutils 2.40)',
  () => {
    const names = [...KERNELS, LETHAL, TRIPLE].map((kernel) => `${kernel}.elf`);
    for (const [i, image] of make(FOLDER, names).entries()) {
      const kept = readFileSync(join(FOLDER, names[i] ?? ''));
      expect(image.equals(kept), names[i]).toBe(true);
    }
  },
);
