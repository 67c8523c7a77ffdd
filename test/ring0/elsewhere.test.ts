/** The kernels under QEMU and with older processors: their answers are ours but where a list says so. */
import { describe, expect, test } from 'vitest';
import type { CpuLevel } from '../../src/cpu/model.js';
import { hasVersion } from '../guest/toolchain.js';
import { DONE, KERNELS, LETHAL, linesElsewhere, runHere, runInQemu, TRIPLE } from './kernels.js';

/** Older processors of ours, with kernels that find more there than that something is missing. */
const LEVELS: readonly [Exclude<CpuLevel, 686>, readonly string[]][] = [
  [386, ['calls', 'descriptors', 'faults', 'gates', 'limits', 'paging', 'privilege', 'real']],
  [386, ['returns', 'segments', 'tasks', 'task-faults', 'v86']],
  [486, ['double-faults', 'encodings', 'faults', 'paging', 'privilege', 'returns', 'steps']],
  [486, ['task-memory']],
  [586, ['encodings', 'paging', 'privilege', 'real', 'returns']],
];

/** The version that the lists of differences were made with. */
const hasQemu72 = hasVersion('qemu-system-i386', / version 7\.2\./);

describe.skipIf(!hasQemu72)('under QEMU (needs QEMU 7.2)', () => {
  test.each(KERNELS)('the kernel "%s" differs where that is known', (kernel) => {
    const report = runInQemu(kernel);
    expect(report).toEqual({ lines: linesElsewhere(kernel, 'qemu', report.lines), end: DONE });
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
    'the kernel "shutdown" ends in a triple fault, way %i',
    (way) => {
      expect(runInQemu(TRIPLE, `${way}`)).toEqual({ lines: ['into it'], end: 'shutdown' });
    },
  );

  test('the kernel "lethal" still is', () => {
    expect(runInQemu(LETHAL).lines).not.toContain('DONE');
  });
});

describe.each(LEVELS)('with --cpu %i', (cpu, kernels) => {
  test.each(kernels)('the kernel "%s" differs where the level does', (kernel) => {
    const report = runHere(kernel, { engine: 'interpreter', cpu });
    const lines = linesElsewhere(kernel, `${cpu}`, report.lines);
    expect(report).toEqual({ lines, end: DONE });
  });
});
