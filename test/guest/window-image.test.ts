/** The committed images of guest/window: what they are built from, and how they differ. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { build, hasBinutils, hasMake, hasQemu, make, runUnderQemu } from './toolchain.js';

const folder = fileURLToPath(new URL('../../guest/window', import.meta.url));
const window = readFileSync(join(folder, 'window.elf'));
const padded = readFileSync(join(folder, 'window-padded.elf'));
const short = readFileSync(join(folder, 'window-short.elf'));

describe.skipIf(!hasBinutils)('the sources (needs as and ld of binutils 2.40)', () => {
  test('give window.elf, byte for byte', () => {
    const image = build(folder, 'window.s', 'window.ld', { STI_SYSEXIT_PADDING: 0 });
    expect(image.equals(window)).toBe(true);
  });

  test('give window-padded.elf with padding, byte for byte', () => {
    const image = build(folder, 'window.s', 'window.ld', { STI_SYSEXIT_PADDING: 4 });
    expect(image.equals(padded)).toBe(true);
  });

  test.skipIf(!hasMake)('give all three by make, byte for byte (needs make)', () => {
    const images = make(folder, ['window.elf', 'window-padded.elf', 'window-short.elf']);
    expect(images.map((image, at) => image.equals([window, padded, short][at]))).toEqual([
      true,
      true,
      true,
    ]);
  });
});

describe('the two images', () => {
  const differing = [...window.keys()].filter((offset) => window[offset] !== padded[offset]);

  test('are equally long', () => {
    expect(padded.length).toBe(window.length);
  });

  test('hold STI, SYSEXIT and four NOPs in their two orders', () => {
    const unpaddedSite = Buffer.from('fb0f3590909090', 'hex');
    const paddedSite = Buffer.from('fb909090900f35', 'hex');
    expect(window.indexOf(paddedSite)).toBe(-1);
    expect(padded.indexOf(unpaddedSite)).toBe(-1);
    expect(padded.indexOf(paddedSite)).toBe(window.indexOf(unpaddedSite));
  });

  test('differ in that site, one digit of the banner and the address of one symbol', () => {
    const site = window.indexOf('fb0f3590909090', 0, 'hex');
    const outsideSite = differing.filter((offset) => offset < site || offset >= site + 7);
    expect(differing.length - outsideSite.length).toBe(4);
    expect(outsideSite.length).toBe(2);
  });
});

test.skipIf(!hasQemu)(
  'window.elf passes its own checks under QEMU (needs qemu-system-i386)',
  () => {
    const { stdout, status } = runUnderQemu(join(folder, 'window.elf'));
    expect(stdout).toMatch(/^holdoff guest window: 0 NOPs between STI and SYSEXIT/);
    expect(stdout.match(/^ok: /gm)).toHaveLength(17);
    expect(stdout).toMatch(/\nDONE\n$/);
    expect(status).toBe(99);
  },
);
