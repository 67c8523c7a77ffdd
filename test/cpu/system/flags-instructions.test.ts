import { describe, expect, test } from 'vitest';
import {
  EFLAGS_AC,
  EFLAGS_ARITHMETIC,
  EFLAGS_DF,
  EFLAGS_ID,
  EFLAGS_IF,
  EFLAGS_IOPL,
  EFLAGS_NT,
  EFLAGS_RESERVED1,
  EFLAGS_RF,
  EFLAGS_TF,
  EFLAGS_VIF,
  EFLAGS_VIP,
  EFLAGS_VM,
} from '../../../src/cpu/eflags.js';
import { VECTOR_GP, VECTOR_SS } from '../../../src/cpu/fault.js';
import { setSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import { cli, hlt, popf, pushf, sti } from '../../../src/cpu/system/flags-instructions.js';
import { DATA0, faults, instruction, STACK, TestProcessor } from './processor.js';

const IOPL_3 = EFLAGS_IOPL;

describe('CLI and STI', () => {
  test('STI casts a shadow where IF was 0', () => {
    const p = new TestProcessor();
    expect(p.execute(sti)).toBe('done');
    expect(p.eflags & EFLAGS_IF).not.toBe(0);
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_STI);
    expect(p.attentions).toBeGreaterThan(0);
  });

  test('STI casts no shadow where IF was 1, so a second STI does not extend the first', () => {
    const p = new TestProcessor();
    p.execute(sti);
    p.execute(sti);
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_NONE);
  });

  test('CLI clears IF alone', () => {
    const p = new TestProcessor();
    p.eflags = EFLAGS_IF | EFLAGS_DF | EFLAGS_ARITHMETIC | EFLAGS_RESERVED1;
    expect(p.execute(cli)).toBe('done');
    expect(p.eflags).toBe(EFLAGS_DF | EFLAGS_ARITHMETIC | EFLAGS_RESERVED1);
  });

  test.each([
    ['CLI', cli],
    ['STI', sti],
  ])('%s is #GP(0) where CPL > IOPL, and allowed where CPL = IOPL', (_, procedure) => {
    const p = new TestProcessor();
    p.enterUserMode();
    for (const iopl of [0, 1, 2]) {
      p.eflags = iopl << 12;
      expect(p.execute(procedure)).toEqual(faults(VECTOR_GP));
    }
    p.eflags = IOPL_3;
    expect(p.execute(procedure)).toBe('done');
  });
});

describe('PUSHF and POPF', () => {
  test('PUSHFD stores bit 1 as one, and RF and VM as zero', () => {
    const p = new TestProcessor();
    p.eflags = EFLAGS_RF | EFLAGS_NT | EFLAGS_ID;
    expect(p.execute(pushf)).toBe('done');
    expect(p.dword(STACK - 4)).toBe(EFLAGS_NT | EFLAGS_ID | EFLAGS_RESERVED1);
    expect(p.state.esp).toBe(STACK - 4);
  });

  test('PUSHF of 16 bits stores the low half and no more', () => {
    const p = new TestProcessor();
    p.poke(STACK - 4, 4, -1);
    p.eflags = EFLAGS_ID | EFLAGS_NT;
    p.execute(pushf, instruction({ operandSize: 2 }));
    expect(p.dword(STACK - 4)).toBe(((EFLAGS_NT | EFLAGS_RESERVED1) << 16) | 0xffff);
    expect(p.state.esp).toBe(STACK - 2);
  });

  const ALL_BUT_SPECIAL =
    EFLAGS_ARITHMETIC | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | EFLAGS_AC | EFLAGS_ID;

  function popImage(p: TestProcessor, image: number, operandSize: 2 | 4 = 4): void {
    p.state.esp = STACK;
    p.poke(STACK, 4, image);
    expect(p.execute(popf, instruction({ operandSize }))).toBe('done');
    expect(p.state.esp).toBe(STACK + operandSize);
  }

  test('POPFD at CPL 0 sets all flags but VM, VIF, VIP, RF and the reserved ones', () => {
    const p = new TestProcessor();
    popImage(p, -1);
    expect(p.eflags).toBe(ALL_BUT_SPECIAL | EFLAGS_IF | EFLAGS_IOPL | EFLAGS_RESERVED1);
    popImage(p, 0);
    expect(p.eflags).toBe(EFLAGS_RESERVED1);
  });

  test('POPFD clears RF and leaves VIF and VIP', () => {
    const p = new TestProcessor();
    p.eflags = EFLAGS_RF | EFLAGS_VIF | EFLAGS_VIP;
    popImage(p, EFLAGS_RF);
    expect(p.eflags).toBe(EFLAGS_VIF | EFLAGS_VIP | EFLAGS_RESERVED1);
  });

  test('POPF at CPL 3 leaves IF alone where IOPL < 3, without a fault', () => {
    const p = new TestProcessor();
    p.enterUserMode();
    p.eflags = EFLAGS_IF;
    popImage(p, 0);
    expect(p.eflags & EFLAGS_IF).toBe(EFLAGS_IF);
    p.eflags = 0;
    popImage(p, EFLAGS_IF);
    expect(p.eflags & EFLAGS_IF).toBe(0);
  });

  test('POPF at CPL 3 changes IF where IOPL is 3, and never IOPL', () => {
    const p = new TestProcessor();
    p.enterUserMode();
    p.eflags = IOPL_3;
    popImage(p, EFLAGS_IF);
    expect(p.eflags).toBe(EFLAGS_IF | IOPL_3 | EFLAGS_RESERVED1);
  });

  test('POPF of 16 bits leaves AC and ID', () => {
    const p = new TestProcessor();
    p.eflags = EFLAGS_AC | EFLAGS_ID;
    popImage(p, 0, 2);
    expect(p.eflags).toBe(EFLAGS_AC | EFLAGS_ID | EFLAGS_RESERVED1);
  });

  test('POPF that raises IF casts no shadow, and the run loop looks again', () => {
    const p = new TestProcessor();
    const before = p.attentions;
    p.state.set(L.INTR, 1);
    popImage(p, EFLAGS_IF);
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_NONE);
    expect(p.attentions).toBeGreaterThan(before);
  });

  test('in virtual-8086 mode both are #GP(0) unless IOPL is 3', () => {
    const p = new TestProcessor();
    p.enterUserMode();
    p.eflags = EFLAGS_VM;
    expect(p.execute(pushf)).toEqual(faults(VECTOR_GP));
    expect(p.execute(popf)).toEqual(faults(VECTOR_GP));
    p.eflags = EFLAGS_VM | IOPL_3;
    expect(p.execute(pushf)).toBe('done');
    expect(p.dword(STACK - 4) & EFLAGS_VM).toBe(0);
  });

  test('a stack beyond its limit is #SS(0) with ESP and flags as before', () => {
    const p = new TestProcessor();
    setSegment(p.core, L.SEG_SS, DATA0, 0, STACK - 1, 0x4093);
    expect(p.execute(popf)).toEqual(faults(VECTOR_SS));
    p.state.esp = STACK + 4;
    expect(p.execute(pushf)).toEqual(faults(VECTOR_SS));
  });
});

describe('HLT', () => {
  test('halts with EIP after it', () => {
    const p = new TestProcessor();
    const eip = p.state.eip;
    expect(p.execute(hlt)).toBe('done');
    expect(p.state.get(L.HALTED)).toBe(1);
    expect(p.state.eip).toBe(eip + 1);
    expect(p.attentions).toBeGreaterThan(0);
  });

  test('is #GP(0) outside CPL 0 whatever IOPL is', () => {
    const p = new TestProcessor();
    p.enterUserMode();
    p.eflags = IOPL_3;
    expect(p.execute(hlt)).toEqual(faults(VECTOR_GP));
    expect(p.state.get(L.HALTED)).toBe(0);
  });
});
