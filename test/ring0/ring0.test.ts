/**
 * Privilege, gates, tasks, faults and paging, asked by small kernels that print what they found: our
 * answers are the manual's on each engine, and QEMU's too but where kernels.ts has it say otherwise.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CpuLevel } from '../../src/cpu/model.js';
import type { MachineOptions } from '../../src/machine/machine-options.js';
import { hasBinutils, hasMake, hasVersion, make } from '../guest/toolchain.js';
import { expectedLines, FOLDER, linesElsewhere, runHere, runInQemu } from './kernels.js';

const KERNELS = [
  'breakpoints',
  'calls',
  'descriptors',
  'double-faults',
  'encodings',
  'faults',
  'gates',
  'limits',
  'pae',
  'page-entries',
  'paging',
  'privilege',
  'real',
  'returns',
  'segments',
  'steps',
  'sysenter',
  'task-faults',
  'task-memory',
  'tasks',
  'v86',
  'v86-traps',
];

/** One after whose checks QEMU doesn't go on. */
const LETHAL = 'lethal';
/** One that ends in a triple fault, in ways that its command line numbers. */
const TRIPLE = 'shutdown';

/** Older processors of ours, with kernels that find more there than that something is missing. */
const LEVELS: readonly [Exclude<CpuLevel, 686>, readonly string[]][] = [
  [386, ['calls', 'descriptors', 'faults', 'gates', 'limits', 'paging', 'privilege', 'real']],
  [386, ['returns', 'segments', 'tasks', 'task-faults', 'v86']],
  [486, ['double-faults', 'encodings', 'faults', 'paging', 'privilege', 'returns', 'steps']],
  [486, ['task-memory']],
  [586, ['encodings', 'paging', 'privilege', 'real', 'returns']],
];

/** What a kernel writes to port F4h at its end, as a status. */
const DONE = 'exit 99';
const ENGINES: readonly [string, Partial<MachineOptions>][] = [
  ['interpreted', { engine: 'interpreter' }],
  ['compiled at the first entry', { hotEntries: 1 }],
];

/** The version that the lists of differences were made with. */
const hasQemu72 = hasVersion('qemu-system-i386', / version 7\.2\./);

describe.each(KERNELS)('the kernel "%s"', (kernel) => {
  test.each(ENGINES)("gives the manual's answers, %s", (_, options) => {
    expect(runHere(kernel, options)).toEqual({ lines: expectedLines(kernel), end: DONE });
  });

  test.skipIf(!hasQemu72)('differs under QEMU where that is known (needs QEMU 7.2)', () => {
    const report = runInQemu(kernel);
    expect(report).toEqual({ lines: linesElsewhere(kernel, 'qemu', report.lines), end: DONE });
  });

  test('has no two checks of one name', () => {
    const names = expectedLines(kernel).map((line) => line.split(' -> ')[0]);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});

describe.each(LEVELS)('with --cpu %i', (cpu, kernels) => {
  test.each(kernels)('the kernel "%s" differs where the level does', (kernel) => {
    const report = runHere(kernel, { engine: 'interpreter', cpu });
    const lines = linesElsewhere(kernel, `${cpu}`, report.lines);
    expect(report).toEqual({ lines, end: DONE });
  });
});

test.each(ENGINES)("what QEMU doesn't survive gives the manual's answers, %s", (_, options) => {
  expect(runHere(LETHAL, options)).toEqual({ lines: expectedLines(LETHAL), end: DONE });
});

test.skipIf(!hasQemu72)("QEMU doesn't survive it still (needs QEMU 7.2)", () => {
  expect(runInQemu(LETHAL).lines).not.toContain('DONE');
});

describe('the kernel "shutdown"', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('ends in a triple fault, way %i', (way) => {
    const ended = { lines: ['into it'], end: 'shutdown' };
    expect(runHere(TRIPLE, { engine: 'interpreter' }, `${way}`)).toEqual(ended);
    if (hasQemu72) expect(runInQemu(TRIPLE, `${way}`)).toEqual(ended);
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
