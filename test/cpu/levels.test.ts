import { describe, expect, test } from 'vitest';
import { CPU_LEVELS, type CpuLevel } from '../../src/cpu/model.js';
import * as L from '../../src/cpu/state-layout.js';
import { Program } from './support/program.js';

const UD = 6;
const GP = 13;

function levelProgram(level: CpuLevel, code: readonly number[], flags = 0): Program {
  return new Program(code, flags, { level });
}

/** Vector of what the first instruction raises, or null. */
function raised(level: CpuLevel, code: readonly number[]): number | null {
  const program = levelProgram(level, code);
  program.step(1);
  return program.deliveries.at(0)?.vector ?? null;
}

// By the level that has them first. Intel SDM vol. 3B §22.13 to §22.15.
const instructions: [CpuLevel, string, number[]][] = [
  [386, 'BSF', [0x0f, 0xbc, 0xc0]],
  [386, 'SETO', [0x0f, 0x90, 0xc0]],
  [386, 'SMSW', [0x0f, 0x01, 0xe0]],
  [486, 'BSWAP', [0x0f, 0xc8]],
  [486, 'CMPXCHG of a byte', [0x0f, 0xb0, 0xc0]],
  [486, 'CMPXCHG', [0x0f, 0xb1, 0xc0]],
  [486, 'XADD', [0x0f, 0xc1, 0xc0]],
  [486, 'INVD', [0x0f, 0x08]],
  [486, 'WBINVD', [0x0f, 0x09]],
  [486, 'INVLPG', [0x0f, 0x01, 0x38]],
  [586, 'CPUID', [0x0f, 0xa2]],
  [586, 'RDTSC', [0x0f, 0x31]],
  [586, 'CMPXCHG8B', [0x0f, 0xc7, 0x0d, 0, 0, 3, 0]],
  [586, 'MOV from CR4', [0x0f, 0x20, 0xe0]],
  [686, 'CMOVO', [0x0f, 0x40, 0xc0]],
  [686, 'the NOP with a ModRM byte', [0x0f, 0x1f, 0x00]],
  [686, 'PREFETCHW, a NOP', [0x0f, 0x0d, 0x08]],
];

describe.each(CPU_LEVELS)('a %i', (level) => {
  test.each(instructions)('and %i: %s', (since, _name, code) => {
    expect(raised(level, code)).toBe(level < since ? UD : null);
  });

  test('has SYSENTER and RDPMC from the 686 on, #GP(0) here', () => {
    const expected = level < 686 ? UD : GP;
    expect(raised(level, [0x0f, 0x34])).toBe(expected);
    expect(raised(level, [0x0f, 0x33])).toBe(expected);
  });

  test('has RDMSR from the 586 on', () => {
    expect(raised(level, [0x0f, 0x32])).toBe(level < 586 ? UD : GP);
  });
});

/** POPFD of all ones, PUSHFD, POP EAX: the flags that can be set. */
function settableFlags(level: CpuLevel): number {
  const program = levelProgram(level, [0x68, 0xff, 0xfe, 0xff, 0xff, 0x9d, 0x9c, 0x58]);
  program.step(4);
  return program.cpu.core.state.get(L.EAX) >>> 0;
}

test('AC can be set from the 486 on, ID from the 586 on', () => {
  const always = 0x7ed7;
  expect(settableFlags(386)).toBe(always);
  expect(settableFlags(486)).toBe(always | (1 << 18));
  expect(settableFlags(586)).toBe(always | (1 << 18) | (1 << 21));
  expect(settableFlags(686)).toBe(always | (1 << 18) | (1 << 21));
});

/** MOV EAX, value; MOV CRn, EAX; MOV EAX, CRn: what was kept, or null where it raised something. */
function written(level: CpuLevel, register: number, value: number): number | null {
  const modrm = 0xc0 | (register << 3);
  const bytes = [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
  const code = [0xb8, ...bytes, 0x0f, 0x22, modrm, 0x0f, 0x20, modrm];
  const program = levelProgram(level, code);
  program.step(3);
  return program.deliveries.length > 0 ? null : program.cpu.core.state.get(L.EAX) >>> 0;
}

test('NE, WP, AM, NW and CD of CR0 came with the 486', () => {
  const all = 0x6005003f;
  expect(written(386, 0, all)).toBe(0x1f);
  expect(written(486, 0, all)).toBe(all);
});

test('CR4 came with the 586, PAE, PGE and PCE with the 686', () => {
  const DE = 1 << 3;
  const PAE = 1 << 5;
  expect(CPU_LEVELS.map((level) => written(level, 4, DE))).toEqual([null, null, DE, DE]);
  expect(CPU_LEVELS.map((level) => written(level, 4, PAE))).toEqual([null, null, null, PAE]);
});

test('CPUID claims no feature that its level lacks', () => {
  const features = (level: CpuLevel): number => {
    // MOV EAX, 1; CPUID
    const program = levelProgram(level, [0xb8, 1, 0, 0, 0, 0x0f, 0xa2]);
    program.step(2);
    return program.cpu.core.state.get(L.EDX);
  };
  const SEP_PGE_CMOV_PAE = 0xa840;
  expect(features(586) & SEP_PGE_CMOV_PAE).toBe(0);
  expect(features(686) & SEP_PGE_CMOV_PAE).toBe(SEP_PGE_CMOV_PAE);
});

test('SYSENTER’s registers, platform and microcode revision came with the 686', () => {
  const isThere = (level: CpuLevel, number: number): boolean => {
    // MOV ECX, number; RDMSR
    const program = levelProgram(level, [0xb9, number & 0xff, number >> 8, 0, 0, 0x0f, 0x32]);
    program.step(2);
    return program.deliveries.length === 0;
  };
  for (const number of [0x17, 0x8b, 0x174, 0x175, 0x176]) {
    expect([isThere(586, number), isThere(686, number)]).toEqual([false, true]);
  }
  expect(isThere(586, 0x10)).toBe(true);
});

test('EDX holds family, model and stepping after a reset', () => {
  const family = (level: CpuLevel): number => {
    const { cpu } = levelProgram(level, []);
    cpu.reset();
    return cpu.core.state.get(L.EDX) >>> 8;
  };
  expect(CPU_LEVELS.map(family)).toEqual([3, 4, 5, 6]);
});

test.each([
  ['intel', 'GenuineIntel'],
  ['amd', 'AuthenticAMD'],
] as const)('CPUID says who made it: %s', (vendor, expected) => {
  const program = new Program([0x0f, 0xa2], 0, { vendor });
  const { state } = program.cpu.core;
  state.set(L.EAX, 0);
  program.step(1);
  const name = Buffer.alloc(12);
  [L.EBX, L.EDX, L.ECX].forEach((register, i) => name.writeInt32LE(state.get(register), i * 4));
  expect(name.toString('latin1')).toBe(expected);
});
