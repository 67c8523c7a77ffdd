/** The local APIC, asked by a small kernel that prints the answers; QEMU, where installed, agrees. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { holdoff } from '../cli/holdoff.js';
import { build, hasBinutils, hasQemu, runUnderQemu } from './toolchain.js';

const folder = fileURLToPath(new URL('kernels', import.meta.url));
const image = join(folder, 'apic.elf');
const expected = readFileSync(join(folder, 'apic.txt'), 'utf8');

describe('the kernel "apic"', () => {
  test.each(['virtual', 'host'])(
    "gives the manual's answers, and a replay too, --clock %s",
    async (clock) => {
      const output = mkdtempSync(join(tmpdir(), 'holdoff-apic-'));
      try {
        const trace = join(output, 'apic.trace');
        const words = ['record', image, '-o', trace, '--apic', '--clock', clock];
        for (const run of [words, ['replay', trace]]) {
          const { stdout, status } = await holdoff(run);
          expect({ stdout: stdout.toString(), status }).toEqual({ stdout: expected, status: 99 });
        }
        if (clock !== 'virtual') return;
        const { stdout } = await holdoff(['info', trace, '--json']);
        expect(JSON.parse(stdout.toString())).toMatchObject({
          version: 2,
          machine: { apic: true },
        });
        const events = (await holdoff(['events', trace])).stdout.toString();
        expect(events).toMatch(/irq +APIC vector 0x52, taken @\d+ as vector 0x52/);
        expect(events).toMatch(/irq +APIC timer, taken @\d+ as vector 0x80/);
      } finally {
        rmSync(output, { recursive: true });
      }
    },
  );

  test.skipIf(!hasQemu)('prints the same under QEMU (needs qemu-system-i386)', () => {
    expect(runUnderQemu(image)).toEqual({ stdout: expected, status: 99 });
  });

  test.skipIf(!hasBinutils)('is what its source gives, byte for byte (needs binutils 2.40)', () => {
    expect(build(folder, 'apic.s', 'kernels.ld').equals(readFileSync(image))).toBe(true);
  });
});
