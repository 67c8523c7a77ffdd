/** A ROM in the place of a kernel: where it lies, how it starts, and that nobody writes to it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBios } from '../../src/machine/loaders/bios.js';
import { Machine } from '../../src/machine/machine.js';
import { Checkpoints } from '../../src/replay/checkpoint.js';
import { hasQemu } from '../guest/toolchain.js';

const KIB = 1024;
const TOP = 0x1_0000_0000;

/** A ROM of this size, each page filled with its number, with parts from this many bytes before its end. */
function rom(bytes: number, ...parts: [fromEnd: number, ...bytes: number[]][]): Uint8Array {
  const image = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at++) image[at] = at >> 12;
  for (const [fromEnd, ...part] of parts) image.set(part, bytes - fromEnd);
  return image;
}

/** ljmp $0xf000, $0xe000: to 2000h bytes before the end. */
const RESET: [number, ...number[]] = [0x10, 0xea, 0x00, 0xe0, 0x00, 0xf0];

function booted(bytes: Uint8Array): Machine {
  const machine = new Machine({ memoryBytes: 2 << 20 });
  expect(loadBios(machine, { name: 'rom.bin', bytes })).toMatchObject({
    kind: 'bios',
    entry: 0xfffffff0,
  });
  return machine;
}

describe('a ROM', () => {
  test('ends at 4 GiB, with its last 128 KiB below 1 MiB too', () => {
    const { physical } = booted(rom(256 * KIB)).cpu.core;
    expect(physical.read(TOP - 256 * KIB, 1)).toBe(0);
    expect(physical.read(TOP - 1, 1)).toBe(63);
    expect(physical.read(TOP - 4, 4)).toBe(0x3f3f3f3f);
    expect(physical.read(TOP - 256 * KIB - 4, 4)).toBe(-1);
    expect(physical.read(0xe0000, 1)).toBe(32);
    expect(physical.read(0xfffff, 1)).toBe(63);
  });

  test('of less than 128 KiB lies there whole, with RAM below it', () => {
    const { physical } = booted(rom(8 * KIB)).cpu.core;
    expect(physical.read(0xfe000, 1)).toBe(0);
    expect(physical.read(0xff000, 1)).toBe(1);
    physical.write(0xfd000, 1, 0x55);
    expect(physical.read(0xfd000, 1)).toBe(0x55);
  });

  test('is not written, in neither place', () => {
    const { physical } = booted(rom(64 * KIB)).cpu.core;
    physical.write(0xf0000, 4, -1);
    physical.write(TOP - 64 * KIB, 4, -1);
    expect(physical.read(0xf0000, 4)).toBe(0);
    expect(physical.read(TOP - 64 * KIB, 4)).toBe(0);
  });

  test('that a debugger changes counts as written, and is put back by a checkpoint', () => {
    const machine = booted(rom(64 * KIB));
    const checkpoints = new Checkpoints(machine);
    checkpoints.take(0);
    machine.cpu.core.physical.load(0xf0000, Uint8Array.of(0x55));
    checkpoints.restore(checkpoints.nearest(0)!);
    expect(machine.cpu.core.physical.read(0xf0000, 1)).toBe(0);
  });

  test('starts in real mode at F000:FFF0, where it lies under 4 GiB, and goes on below 1 MiB', () => {
    // mov %cs:(0xe100), %al; out %al, $0xf4
    const machine = booted(
      rom(64 * KIB, RESET, [0x2000, 0x2e, 0xa0, 0x00, 0xe1, 0xe6, 0xf4], [0x1f00, 0x2a]),
    );
    const { state } = machine.cpu.core;
    expect([state.cr0 & 1, state.selector(1), state.eip]).toEqual([0, 0xf000, 0xfff0]);
    machine.run(1);
    expect([state.segmentBase(1), state.eip]).toEqual([0xf0000, 0xe000]);
    expect(machine.run(100)).toBe('exit');
    expect(machine.exitValue).toBe(0x2a);
  });

  test('can run where it lies under 4 GiB', () => {
    // jmp back to 100h bytes before the end, within the segment: out %al, $0xf4
    const machine = booted(
      rom(64 * KIB, [0x10, 0xe9, 0x0d, 0xff], [0x100, 0xb0, 0x15, 0xe6, 0xf4]),
    );
    expect(machine.run(100)).toBe('exit');
    expect(machine.exitValue).toBe(0x15);
  });

  test('finds a local APIC as hardware brings it up', () => {
    const machine = new Machine({ memoryBytes: 2 << 20, apic: true });
    loadBios(machine, { name: 'rom.bin', bytes: rom(4 * KIB) });
    expect(machine.apic?.read(0xf0, 4)).toBe(0xff);
    expect(machine.apic?.read(0x350, 4)).toBe(0x10000);
  });

  test.each([0, 512, 4095, 4097, 0x1001000])('of %i bytes is refused', (bytes) => {
    const machine = new Machine({ memoryBytes: 2 << 20 });
    expect(() => loadBios(machine, { name: 'rom.bin', bytes: new Uint8Array(bytes) })).toThrow(
      `rom.bin: ${bytes} bytes are no size of a ROM`,
    );
  });

  test('of 16 MiB is not refused', () => {
    expect(booted(rom(16 * KIB * KIB)).cpu.core.physical.read(TOP - 16 * KIB * KIB, 1)).toBe(0);
  });

  test.skipIf(!hasQemu)('does the same under QEMU (needs qemu-system-i386)', () => {
    // Writes to itself in vain, then says what it reads: mov $0x55, %al; mov %al, %cs:(0xe100);
    // mov %cs:(0xe100), %al; out %al, $0xf4
    const code = [0xb0, 0x55, 0x2e, 0xa2, 0x00, 0xe1, 0x2e, 0xa0, 0x00, 0xe1, 0xe6, 0xf4];
    const image = rom(64 * KIB, RESET, [0x2000, ...code], [0x1f00, 0x2a]);
    const machine = booted(image);
    expect(machine.run(100)).toBe('exit');
    const folder = mkdtempSync(join(tmpdir(), 'holdoff-bios-'));
    try {
      const path = join(folder, 'rom.bin');
      writeFileSync(path, image);
      const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4'];
      const words = ['-bios', path, '-display', 'none', '-monitor', 'none', '-no-reboot', ...exit];
      const { status } = spawnSync('qemu-system-i386', words, { timeout: 60_000 });
      expect(status).toBe((machine.exitValue! << 1) | 1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
