/**
 * Which instruction an interrupt can be taken before, asked by small kernels that print the answer.
 * The text beside each kernel is the answer that the manuals give; QEMU, where installed, agrees.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { holdoff } from '../cli/holdoff.js';
import { build, hasBinutils, hasQemu, runUnderQemu } from './toolchain.js';

const folder = fileURLToPath(new URL('kernels', import.meta.url));

describe.each(['shadows', 'crossings', 'timer'])('the kernel "%s"', (kernel) => {
  const image = join(folder, `${kernel}.elf`);
  const expected = readFileSync(join(folder, `${kernel}.txt`), 'utf8');

  test.each(['virtual', 'random'])("gives the manuals' answers, --clock %s", async (clock) => {
    const { stdout, status } = await holdoff(['run', image, '--clock', clock]);
    expect({ stdout: stdout.toString(), status }).toEqual({ stdout: expected, status: 99 });
  });

  test.skipIf(!hasQemu)('prints the same under QEMU (needs qemu-system-i386)', () => {
    expect(runUnderQemu(image)).toEqual({ stdout: expected, status: 99 });
  });

  test.skipIf(!hasBinutils)('is what its source gives, byte for byte (needs binutils 2.40)', () => {
    const built = build(folder, `${kernel}.s`, 'kernels.ld');
    expect(built.equals(readFileSync(image))).toBe(true);
  });
});
