import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { parseListen } from '../../src/cli/listen-address.js';
import {
  addMachineOptions,
  type MachineOptions,
  parseAddress,
  parseCount,
  parseMemory,
  parsePositiveCount,
  parseSeed,
} from '../../src/cli/machine-options.js';

function parse(...words: string[]): MachineOptions {
  const command = addMachineOptions(new Command('run'))
    .exitOverride()
    .configureOutput({
      writeErr: () => undefined,
    });
  return command.parse(words, { from: 'user' }).opts<MachineOptions>();
}

describe('machine options', () => {
  test('a machine of which nothing is said has 64 MiB, the virtual clock and COM1 on stdio', () => {
    expect(parse()).toEqual({
      memory: 64 << 20,
      clock: 'virtual',
      seed: 1,
      maxInstructions: Number.POSITIVE_INFINITY,
      serial: 'stdio',
      engine: 'auto',
      cpu: 686,
      cpuVendor: 'intel',
      vmi: 'none',
      vmiIret: 'rollforward',
    });
  });

  test('every option reaches its field in its unit', () => {
    const options = parse(
      ...[
        '--memory',
        '32M',
        '--cmdline',
        'debug quiet',
        '--initrd',
        'init.gz',
        '--clock',
        'random',
      ],
      ...['--seed', '7', '--max-instructions', '3_000_000', '--serial', 'null'],
      ...['--engine', 'interpreter', '--address', '0x7c00', '--bios', 'rom.bin'],
      ...['--apic', '--cpu', '486', '--cpu-vendor', 'amd', '--trace-ports'],
      ...['--vmi', 'inline', '--vmi-iret', 'naive'],
    );
    expect(options).toEqual({
      memory: 32 << 20,
      cmdline: 'debug quiet',
      initrd: 'init.gz',
      clock: 'random',
      seed: 7,
      maxInstructions: 3_000_000,
      serial: 'null',
      engine: 'interpreter',
      address: 0x7c00,
      bios: 'rom.bin',
      apic: true,
      cpu: 486,
      cpuVendor: 'amd',
      tracePorts: true,
      vmi: 'inline',
      vmiIret: 'naive',
    });
  });

  test.each([
    ['4096K', 4 << 20],
    ['1g', 1 << 30],
    ['64MiB', 64 << 20],
    ['2097152', 2 << 20],
  ])('memory %s is %i bytes', (text, bytes) => {
    expect(parseMemory(text)).toBe(bytes);
  });

  test.each(['', 'M', '-64M', '0', '512K', '1025K', '3G', '64MM', '1e7', '1048577'])(
    'memory %j is refused',
    (text) => {
      expect(() => parseMemory(text)).toThrow(/Give a/);
    },
  );

  test.each(['', '-1', '1.5', '1e6', '0x10', '_1', '1__0', '99999999999999999999'])(
    'count %j is refused',
    (text) => {
      expect(() => parseCount(text)).toThrow(/whole number/);
    },
  );

  test('a limit of no instructions is refused', () => {
    expect(() => parsePositiveCount('0')).toThrow(/at least 1/);
  });

  test('a seed has 32 bits', () => {
    expect(parseSeed('4294967295')).toBe(0xffffffff);
    expect(() => parseSeed('4294967296')).toThrow(/4294967295/);
  });

  test('an address is hexadecimal with 0x, decimal without, and has 32 bits', () => {
    expect(parseAddress('0xFFFF0000')).toBe(0xffff0000);
    expect(parseAddress('1048576')).toBe(1 << 20);
    for (const text of ['0x100000000', 'ff', '', '0x', '-1']) {
      expect(() => parseAddress(text), text).toThrow(/address/);
    }
  });
});

describe('--listen', () => {
  test.each([
    ['127.0.0.1:1234', '127.0.0.1', 1234],
    ['0.0.0.0:0', '0.0.0.0', 0],
    ['[::1]:99', '::1', 99],
    [':5000', '127.0.0.1', 5000],
    ['5000', '127.0.0.1', 5000],
    ['localhost:65535', 'localhost', 65535],
  ])('%s is host %s, port %i', (text, host, port) => {
    expect(parseListen(text)).toEqual({ host, port });
  });

  test.each(['', 'localhost', 'localhost:', '1:2:3', '127.0.0.1:65536', ':x'])(
    '%j is refused',
    (text) => {
      expect(() => parseListen(text)).toThrow(/host:port/);
    },
  );
});
