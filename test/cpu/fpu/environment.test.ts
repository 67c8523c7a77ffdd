import { describe, expect, test } from 'vitest';
import { CR0_PE } from '../../../src/cpu/control-registers.js';
import { EFLAGS_VM } from '../../../src/cpu/eflags.js';
import { setSegment, updateMode } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import { CODE0, DATA, DATA0 } from '../system/processor.js';
import { FLD1, FLDZ, FpuProcessor, memory } from './fpu-processor.js';

const OTHER_SIZE = 0x66;
const FNSTENV = memory(0xd9, 6);
const FNSAVE = memory(0xdd, 6);
const FRSTOR = memory(0xdd, 4);

/** With a full set of pointers: code 8:12345, data 10:2345678, opcode 5 05. */
function processor(): FpuProcessor {
  const p = new FpuProcessor();
  p.run(FLD1);
  p.run(FLDZ);
  p.load('7fff:8000000000000000');
  p.state.set(L.FPU_CODE_OFFSET, 0x12345);
  p.state.set(L.FPU_DATA_OFFSET, 0x2345678);
  p.state.set(L.FPU_OPCODE, 0x505);
  expect(p.state.get(L.FPU_CODE_SELECTOR)).toBe(CODE0);
  expect(p.state.get(L.FPU_DATA_SELECTOR)).toBe(DATA0);
  return p;
}

/** Real mode by CR0, its selectors as bases; code stays 32-bit so that the encodings above serve. */
function realMode(p: FpuProcessor): void {
  p.state.set(L.CR0, p.state.cr0 & ~CR0_PE);
  updateMode(p.core);
}

function dwords(p: FpuProcessor, count: number): number[] {
  return Array.from({ length: count }, (_, i) => p.dword(DATA + 4 * i));
}

function words(p: FpuProcessor, count: number): number[] {
  return Array.from({ length: count }, (_, i) => p.word(DATA + 2 * i));
}

// R5 infinity, R6 zero, R7 one, the rest empty.
const TAGS = 0x1bff;
const CONTROL = 0x37f;
const STATUS = 5 << 11;

describe('FNSTENV', () => {
  test('in protected mode, 32 bits: figure 8-9', () => {
    const p = processor();
    p.run(FNSTENV);
    expect(dwords(p, 7)).toEqual([
      0xffff037f, 0xffff2800, 0xffff1bff, 0x12345, 0x05050008, 0x2345678, 0xffff0010,
    ]);
  });

  test('in protected mode, 16 bits: figure 8-11', () => {
    const p = processor();
    p.run([OTHER_SIZE, ...FNSTENV]);
    expect(words(p, 7)).toEqual([CONTROL, STATUS, TAGS, 0x2345, CODE0, 0x5678, DATA0]);
  });

  // Code is at 80h + 12345h = 123c5h, data at 100h + 2345678h = 2345778h.
  test('in real mode, 32 bits: figure 8-10', () => {
    const p = processor();
    realMode(p);
    p.run(FNSTENV);
    expect(dwords(p, 7)).toEqual([
      0xffff037f, 0xffff2800, 0xffff1bff, 0xffff23c5, 0x00001505, 0xffff5778, 0x00234000,
    ]);
  });

  test('in real mode, 16 bits: figure 8-12', () => {
    const p = processor();
    realMode(p);
    p.run([OTHER_SIZE, ...FNSTENV]);
    expect(words(p, 7)).toEqual([CONTROL, STATUS, TAGS, 0x23c5, 0x1505, 0x5778, 0x4000]);
  });

  test('in virtual-8086 mode as in real mode', () => {
    const p = processor();
    p.state.set(L.FLAG_SYSTEM, p.state.get(L.FLAG_SYSTEM) | EFLAGS_VM);
    updateMode(p.core);
    p.run([OTHER_SIZE, ...FNSTENV]);
    expect(words(p, 7)).toEqual([CONTROL, STATUS, TAGS, 0x23c5, 0x1505, 0x5778, 0x4000]);
  });

  test('masks all exceptions afterwards', () => {
    const p = processor();
    p.control = 0x340;
    p.run(FNSTENV);
    expect(p.dword(DATA)).toBe(0xffff0340);
    expect(p.control).toBe(0x37f);
  });
});

describe('FLDENV', () => {
  test.each([
    ['32 bits in protected mode', FNSTENV, memory(0xd9, 4), false],
    ['32 bits in real mode', FNSTENV, memory(0xd9, 4), true],
    ['16 bits in real mode', [OTHER_SIZE, ...FNSTENV], [OTHER_SIZE, ...memory(0xd9, 4)], true],
  ])('takes back what FNSTENV stored: %s', (_, store, load, isReal) => {
    const p = processor();
    if (isReal) realMode(p);
    p.run(store);
    const stored = dwords(p, 7);
    p.run([0xdb, 0xe3]);
    p.run(load);
    expect(p.tags).toBe(TAGS);
    expect(p.state.get(L.FPU_OPCODE)).toBe(0x505);
    p.run(store);
    expect(dwords(p, 7)).toEqual(stored);
  });

  test('takes no more of a tag than whether it says empty', () => {
    const p = processor();
    p.run(FNSTENV);
    // R5 is called valid, R6 special, R7 zero.
    p.poke(DATA + 8, 2, 0x63ff);
    p.run(memory(0xd9, 4));
    expect(p.tags).toBe(TAGS);
  });

  test('leaves bits that are not there as they are', () => {
    const p = processor();
    p.run(FNSTENV);
    p.poke(DATA, 2, 0xffff);
    p.poke(DATA + 4, 2, 0x80 | STATUS);
    p.run(memory(0xd9, 4));
    expect(p.control).toBe(0x1f7f);
    expect(p.status).toBe(STATUS);
  });
});

describe('FNSAVE', () => {
  test('stores the environment and the registers from ST(0) on, then does FNINIT', () => {
    const p = processor();
    p.run(FNSAVE);
    expect(dwords(p, 2)).toEqual([0xffff037f, 0xffff2800]);
    const registers = [0, 1, 2].map((i) => p.word(DATA + 28 + 10 * i + 8).toString(16));
    expect(registers).toEqual(['7fff', '0', '3fff']);
    expect([p.control, p.status, p.tags]).toEqual([0x37f, 0, 0xffff]);
    expect(p.state.get(L.FPU_CODE_OFFSET)).toBe(0);
    expect(p.state.get(L.FPU_DATA_SELECTOR)).toBe(0);
  });

  test.each([
    ['32 bits', []],
    ['16 bits', [OTHER_SIZE]],
  ])('and FRSTOR brings all of it back: %s', (_, prefix) => {
    const p = processor();
    const before = [0, 1, 2, 3].map((i) => p.st(i));
    p.run([...prefix, ...FNSAVE]);
    p.run([...prefix, ...FRSTOR]);
    expect([0, 1, 2, 3].map((i) => p.st(i))).toEqual(before);
    expect([p.control, p.status, p.tags]).toEqual([CONTROL, STATUS, TAGS]);
  });
});

test('a reset leaves the registers zero and valid, and exceptions unmasked', () => {
  const p = new FpuProcessor();
  setSegment(p.core, L.SEG_DS, DATA0, 0, -1, 0xc093);
  p.state.u8.fill(0, L.FPU, L.ARCHITECTURAL_END);
  p.state.set(L.FPU_CONTROL, 0x40);
  p.run(FNSTENV);
  expect(dwords(p, 3)).toEqual([0xffff0040, 0xffff0000, 0xffff5555]);
});
