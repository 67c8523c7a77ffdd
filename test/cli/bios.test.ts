/** ROMs, port traces and flat binaries on the command line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import * as guests from './guests.js';
import { holdoff } from './holdoff.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-bios-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A ROM of 8 KiB that runs this in real mode from F000:E000 on. */
function rom(...code: number[]): Uint8Array {
  const bytes = new Uint8Array(8192).fill(0xff);
  bytes.set(code);
  bytes.set([0xea, 0x00, 0xe0, 0x00, 0xf0], 8192 - 16);
  return bytes;
}

// biome-ignore format: one instruction a line
const REPORTING = rom(
  0xb0, 0x12, 0xe6, 0x80, // mov $0x12, %al; out %al, $0x80
  0xba, 0x90, 0x01, // mov $0x190, %dx
  0xb8, 0x34, 0x12, 0xef, // mov $0x1234, %ax; out %ax, %dx
  0x66, 0xb8, 0x78, 0x56, 0x34, 0xf2, // mov $0xf2345678, %eax
  0x66, 0xef, // out %eax, %dx
  0xba, 0xf8, 0x03, 0xb0, 0x68, 0xee, // "h" to COM1
  0xfa, 0xf4, // cli; hlt
);
const REPORT = [
  'holdoff: port 0x0080 <- 0x12, 1 byte, at CS:EIP f000:0000e002, @2',
  'holdoff: port 0x0190 <- 0x1234, 2 bytes, at CS:EIP f000:0000e00a, @5',
  'holdoff: port 0x0190 <- 0xf2345678, 4 bytes, at CS:EIP f000:0000e011, @7',
];
const HALTED = 'holdoff: the guest halted for good: nothing is left that could wake it at @13';

describe('--bios', () => {
  test('runs a ROM; --trace-ports says what it writes to unknown ports and to port 80h', async () => {
    const path = file('rom.bin', REPORTING);
    const { status, stdout, stderr } = await holdoff(['run', '--bios', path, '--trace-ports']);
    expect([status, stdout.toString()]).toEqual([0, 'h']);
    expect(stderr.trimEnd().split('\n')).toEqual([...REPORT, HALTED]);
  });

  test('is in the trace: a replay needs neither the file nor the options', async () => {
    const path = file('gone.bin', REPORTING);
    const trace = join(folder, 'gone.trace');
    const options = ['--apic', '--cpu', '586', '--memory', '2M'];
    await holdoff(['record', '--bios', path, '-o', trace, ...options]);
    rmSync(path);
    const again = await holdoff(['replay', trace, '--trace-ports']);
    expect([again.status, again.stdout.toString()]).toEqual([0, 'h']);
    expect(again.stderr.split('\n').slice(0, 4)).toEqual([...REPORT, HALTED]);
    const { stdout } = await holdoff(['info', trace, '--json']);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      version: 2,
      machine: { memoryBytes: 2 << 20, apic: true, cpu: 586 },
      images: [{ name: 'gone.bin', role: 'bios', bytes: 8192 }],
      outcome: { kind: 'halted' },
    });
  });

  test('names the trace after the ROM where nothing else does', async () => {
    const path = file('named.bin', REPORTING);
    const { stderr } = await holdoff(['record', '--bios', path], '', folder);
    expect(stderr).toContain('wrote named.trace');
    expect(readFileSync(join(folder, 'named.trace')).length).toBeGreaterThan(0);
  });

  test.each<[string, string[], string]>([
    ['with an image as well', ['kernel.elf', '--bios', 'rom.bin'], 'leave one out'],
    ['with neither', [], 'no image to run; name a kernel, or give --bios FILE'],
    [
      'with what is for kernels',
      ['--bios', 'rom.bin', '--cmdline', 'x'],
      '--cmdline is for kernels',
    ],
    ['of no size of a ROM', ['--bios', 'odd.bin'], '1000 bytes are no size of a ROM'],
  ])("%s is a user's error", async (_, words, message) => {
    file('rom.bin', REPORTING);
    file('odd.bin', new Uint8Array(1000));
    const { status, stdout, stderr } = await holdoff(['run', ...words], '', folder);
    expect([status, stdout.toString()]).toEqual([1, '']);
    expect(stderr).toMatch(/^holdoff: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });
});

describe('a flat binary', () => {
  test('needs no --address: it is loaded and entered at 1 MiB, in the trace too', async () => {
    const trace = join(folder, 'flat.trace');
    const { status, stdout } = await holdoff([
      'record',
      file('hello.bin', guests.HELLO),
      '-o',
      trace,
    ]);
    expect([status, stdout.toString()]).toEqual([99, 'hi\n']);
    const again = await holdoff(['replay', trace]);
    expect([again.status, again.stdout.toString()]).toEqual([99, 'hi\n']);
  });

  test('that halts with interrupts off ends the run with status 0', async () => {
    const { status, stderr } = await holdoff(['run', file('halt.bin', guests.HALT)]);
    expect([status, stderr]).toEqual([
      0,
      'holdoff: the guest halted for good: nothing is left that could wake it at @2\n',
    ]);
  });

  test('that ends in a triple fault says so, with status 0', async () => {
    const { status, stderr } = await holdoff(['run', file('triple.bin', guests.TRIPLE)]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^holdoff: the guest shut down: a triple fault at @\d+\n$/);
  });
});
