import { describe, expect, test } from 'vitest';
import { VECTOR_PF, VECTOR_SS } from '../../../src/cpu/fault.js';
import { setSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import { enter_Iw_Ib, popa, pusha } from '../../../src/cpu/system/stack-frames.js';
import { DATA0, faults, instruction, STACK, TestProcessor } from './processor.js';

const ESP = 4;
const EBP = 5;
const PAGE_START = 0xb000;

function withRegisters(esp: number): TestProcessor {
  const p = new TestProcessor();
  for (let register = 0; register < 8; register++) {
    p.state.setReg32(register, (0x1010101 * register + 0x22220000) | 0);
  }
  p.state.esp = esp;
  return p;
}

function registers(p: TestProcessor): number[] {
  return Array.from({ length: 8 }, (_, register) => p.state.reg32(register));
}

/** A processor with paging on and nothing below PAGE_START for a page. */
function withGuardPage(esp: number): TestProcessor {
  const p = withRegisters(esp);
  p.enablePaging();
  p.unmap(PAGE_START - 1);
  return p;
}

describe('PUSHA and POPA', () => {
  test('PUSHAD stores EAX first and EDI last, and ESP as it was', () => {
    const p = withRegisters(STACK);
    const before = registers(p);
    expect(p.execute(pusha)).toBe('done');
    const stored = Array.from({ length: 8 }, (_, i) => p.dword(STACK - 4 * (i + 1)) | 0);
    expect(stored).toEqual(before);
    expect(p.state.esp).toBe(STACK - 32);
  });

  test('PUSHA stores the low halves', () => {
    const p = withRegisters(STACK);
    const before = registers(p).map((value) => value & 0xffff);
    p.execute(pusha, instruction({ operandSize: 2 }));
    expect(Array.from({ length: 8 }, (_, i) => p.word(STACK - 2 * (i + 1)))).toEqual(before);
    expect(p.state.esp).toBe(STACK - 16);
  });

  test('POPAD restores all but ESP, which it moves past the slots', () => {
    const p = withRegisters(STACK);
    const before = registers(p);
    p.execute(pusha);
    for (let register = 0; register < 8; register++) {
      if (register !== ESP) p.state.setReg32(register, 0);
    }
    p.poke(STACK - 4 * (ESP + 1), 4, 0x666);
    expect(p.execute(popa)).toBe('done');
    expect(registers(p)).toEqual(before);
  });

  test('POPA leaves the upper halves', () => {
    const p = withRegisters(STACK - 16);
    const before = registers(p);
    p.execute(popa, instruction({ operandSize: 2 }));
    const expected = before.map((value) => value & ~0xffff);
    expected[ESP] = STACK;
    expect(registers(p)).toEqual(expected);
  });

  test('on a 16-bit stack the slots wrap one by one and the upper half of ESP stays', () => {
    const p = withRegisters(0x00070008);
    p.useStack16();
    const before = registers(p);
    expect(p.execute(pusha, instruction({ operandSize: 2 }))).toBe('done');
    expect(p.state.esp).toBe(0x0007fff8);
    expect(p.word(0)).toBe(before[3] & 0xffff);
    expect(p.word(0xfffe)).toBe(0x0008);
    expect(p.word(0xfff8)).toBe(before[7] & 0xffff);
    for (const register of [0, 1, 2, 3, 5, 6, 7]) p.state.setReg16(register, 0);
    p.execute(popa, instruction({ operandSize: 2 }));
    expect(registers(p)).toEqual(before);
  });

  test('a slot on an absent page is #PF with nothing stored', () => {
    const p = withGuardPage(PAGE_START + 16);
    expect(p.execute(pusha)).toEqual(faults(VECTOR_PF, 2));
  });

  test('a slot beyond the limit of SS is #SS(0) with nothing stored or loaded', () => {
    const p = withRegisters(STACK);
    setSegment(p.core, L.SEG_SS, DATA0, 0, STACK - 5, 0x4093);
    expect(p.execute(pusha)).toEqual(faults(VECTOR_SS));
    p.state.esp = STACK - 32;
    expect(p.execute(popa)).toEqual(faults(VECTOR_SS));
  });
});

describe('ENTER', () => {
  function enter(bytes: number, level: number, operandSize: 2 | 4 = 4) {
    return instruction({ length: 4, immediate: bytes, immediate2: level, operandSize });
  }

  test('level 0 pushes EBP, makes it the frame, and takes the bytes', () => {
    const p = withRegisters(STACK);
    const ebp = p.state.reg32(EBP);
    expect(p.execute(enter_Iw_Ib, enter(0x20, 0))).toBe('done');
    expect(p.dword(STACK - 4) | 0).toBe(ebp);
    expect(p.state.reg32(EBP)).toBe(STACK - 4);
    expect(p.state.esp).toBe(STACK - 4 - 0x20);
  });

  test('level 1 pushes the new frame pointer too', () => {
    const p = withRegisters(STACK);
    p.execute(enter_Iw_Ib, enter(0, 1));
    expect(p.dword(STACK - 8)).toBe(STACK - 4);
    expect(p.state.esp).toBe(STACK - 8);
    expect(p.state.reg32(EBP)).toBe(STACK - 4);
  });

  test('level 3 copies two frame pointers from below the old EBP', () => {
    const p = withRegisters(STACK);
    p.state.setReg32(EBP, 0xa000);
    p.poke(0xa000 - 4, 4, 0x111);
    p.poke(0xa000 - 8, 4, 0x222);
    p.execute(enter_Iw_Ib, enter(8, 3));
    const slots = [4, 8, 12, 16].map((below) => p.dword(STACK - below));
    expect(slots).toEqual([0xa000, 0x111, 0x222, STACK - 4]);
    expect(p.state.esp).toBe(STACK - 16 - 8);
  });

  test('the level counts modulo 32, and all 31 levels work', () => {
    const p = withRegisters(STACK);
    p.state.setReg32(EBP, 0xa000);
    for (let i = 1; i < 31; i++) p.poke(0xa000 - 4 * i, 4, i);
    p.execute(enter_Iw_Ib, enter(0, 31 + 32));
    const copied = Array.from({ length: 30 }, (_, i) => p.dword(STACK - 4 * (i + 2)));
    expect(copied).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(p.dword(STACK - 4 * 32)).toBe(STACK - 4);
    expect(p.state.esp).toBe(STACK - 4 * 32);
  });

  test('frames that overlap the pushed slots are copied in order, slot by slot', () => {
    const p = withRegisters(STACK);
    p.state.setReg32(EBP, STACK + 4);
    p.poke(STACK, 4, 0x333);
    p.execute(enter_Iw_Ib, enter(0, 4));
    const slots = [4, 8, 12, 16, 20].map((below) => p.dword(STACK - below));
    expect(slots).toEqual([STACK + 4, 0x333, STACK + 4, 0x333, STACK - 4]);
  });

  test('with an operand size of 16 words are pushed and the upper half of EBP stays', () => {
    const p = withRegisters(STACK);
    p.state.setReg32(EBP, 0x7777a000);
    p.execute(enter_Iw_Ib, enter(4, 1, 2));
    expect(p.word(STACK - 2)).toBe(0xa000);
    expect(p.word(STACK - 4)).toBe((STACK - 2) & 0xffff);
    expect(p.state.reg32(EBP)).toBe(0x77770000 | (STACK - 2));
    expect(p.state.esp).toBe(STACK - 8);
  });

  test('on a 16-bit stack SP wraps and the upper half of ESP stays', () => {
    const p = withRegisters(0x00070002);
    p.useStack16();
    p.execute(enter_Iw_Ib, enter(0x10, 0, 2));
    expect(p.state.esp).toBe(0x0007fff0);
    expect(p.state.reg32(EBP) & 0xffff).toBe(0);
  });

  test('a final stack pointer that cannot be written faults before anything is pushed', () => {
    const p = withGuardPage(PAGE_START + 8);
    expect(p.execute(enter_Iw_Ib, enter(8, 0))).toEqual(faults(VECTOR_PF, 2));
    p.state.esp = PAGE_START + 8;
    expect(p.execute(enter_Iw_Ib, enter(4, 0))).toBe('done');
  });

  test('a frame pointer that cannot be read faults before anything is pushed', () => {
    const p = withGuardPage(STACK);
    p.state.setReg32(EBP, PAGE_START);
    expect(p.execute(enter_Iw_Ib, enter(0, 2))).toEqual(faults(VECTOR_PF, 0));
  });
});
