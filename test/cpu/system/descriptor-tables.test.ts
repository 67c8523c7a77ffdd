import { describe, expect, test } from 'vitest';
import { VECTOR_GP, VECTOR_NP, VECTOR_PF, VECTOR_UD } from '../../../src/cpu/fault.js';
import { updateMode } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import {
  lgdt_Ms,
  lidt_Ms,
  lldt_Ew,
  ltr_Ew,
  sgdt_Ms,
  sidt_Ms,
  sldt_Ew,
  str_Ew,
} from '../../../src/cpu/system/descriptor-tables.js';
import {
  ABSENT_LDT,
  ABSENT_TSS,
  atMemory,
  CALL_GATE,
  DATA,
  DATA0,
  faults,
  GDT,
  GDT_LIMIT,
  instruction,
  LDT,
  LDT0,
  type Outcome,
  TestProcessor,
  TSS,
  TSS_BUSY,
  TSS16,
  TSS32,
} from './processor.js';

function withAx(p: TestProcessor, procedure: typeof ltr_Ew, selector: number): Outcome {
  p.state.setReg32(0, selector);
  return p.execute(procedure, instruction());
}

describe('LGDT, LIDT, SGDT, SIDT', () => {
  test.each([
    ['LGDT', lgdt_Ms, L.GDTR_BASE, L.GDTR_LIMIT],
    ['LIDT', lidt_Ms, L.IDTR_BASE, L.IDTR_LIMIT],
  ])('%s loads 32 bits of base, 24 with an operand size of 16', (_, procedure, base, limit) => {
    const p = new TestProcessor();
    p.poke(DATA, 2, 0xfedc);
    p.poke(DATA + 2, 4, 0x89abcdef | 0);
    expect(p.execute(procedure, atMemory(DATA))).toBe('done');
    expect(p.state.get(limit)).toBe(0xfedc);
    expect(p.state.get(base) >>> 0).toBe(0x89abcdef);
    expect(p.execute(procedure, atMemory(DATA, { operandSize: 2 }))).toBe('done');
    expect(p.state.get(base)).toBe(0xabcdef);
  });

  test('LGDT and LIDT are #GP(0) outside CPL 0; SGDT and SIDT are not', () => {
    const p = new TestProcessor();
    p.state.set(L.IDTR_LIMIT, 0x7ff);
    p.enterUserMode();
    expect(p.execute(lgdt_Ms, atMemory(DATA))).toEqual(faults(VECTOR_GP));
    expect(p.execute(lidt_Ms, atMemory(DATA))).toEqual(faults(VECTOR_GP));
    expect(p.execute(sgdt_Ms, atMemory(DATA))).toBe('done');
    expect(p.execute(sidt_Ms, atMemory(DATA + 8))).toBe('done');
    expect(p.word(DATA)).toBe(GDT_LIMIT);
    expect(p.dword(DATA + 2)).toBe(GDT);
    expect(p.word(DATA + 8)).toBe(0x7ff);
  });

  test('the register forms are #UD', () => {
    const p = new TestProcessor();
    for (const procedure of [lgdt_Ms, lidt_Ms, sgdt_Ms, sidt_Ms]) {
      expect(p.execute(procedure, instruction())).toEqual(faults(VECTOR_UD));
    }
  });

  test('SGDT stores all 32 bits of the base with an operand size of 16 too', () => {
    const p = new TestProcessor();
    p.state.set(L.GDTR_BASE, 0xc0001000 | 0);
    p.execute(sgdt_Ms, atMemory(DATA, { operandSize: 2 }));
    expect(p.dword(DATA + 2)).toBe(0xc0001000);
  });

  test('SGDT writes nothing when only its base lies on an absent page', () => {
    const p = new TestProcessor();
    p.enablePaging();
    p.unmap(0xb000);
    expect(p.execute(sgdt_Ms, atMemory(0xaffe))).toEqual(faults(VECTOR_PF, 2));
  });

  test('LGDT loads nothing when its base faults', () => {
    const p = new TestProcessor();
    p.enablePaging();
    p.unmap(0xb000);
    expect(p.execute(lgdt_Ms, atMemory(0xaffe))).toEqual(faults(VECTOR_PF, 0));
  });
});

describe('LLDT and SLDT', () => {
  test('LLDT loads base and limit of the descriptor', () => {
    const p = new TestProcessor();
    expect(withAx(p, lldt_Ew, LDT0)).toBe('done');
    expect(p.segment(L.SEG_LDTR)).toEqual({ selector: LDT0, base: LDT, limit: 0xf });
    p.execute(sldt_Ew, instruction({ rm: 1 }));
    expect(p.state.reg32(1)).toBe(LDT0);
  });

  test('LLDT of a null selector leaves no LDT', () => {
    const p = new TestProcessor();
    withAx(p, lldt_Ew, LDT0);
    expect(withAx(p, lldt_Ew, 0)).toBe('done');
    expect(p.state.segmentAccess(L.SEG_LDTR)).toBe(0);
  });

  test('LLDT takes nothing but a present LDT in the GDT', () => {
    const p = new TestProcessor();
    expect(withAx(p, lldt_Ew, LDT0 | 4)).toEqual(faults(VECTOR_GP, LDT0 | 4));
    expect(withAx(p, lldt_Ew, TSS32)).toEqual(faults(VECTOR_GP, TSS32));
    expect(withAx(p, lldt_Ew, DATA0)).toEqual(faults(VECTOR_GP, DATA0));
    expect(withAx(p, lldt_Ew, 0x400)).toEqual(faults(VECTOR_GP, 0x400));
    expect(withAx(p, lldt_Ew, ABSENT_LDT | 2)).toEqual(faults(VECTOR_NP, ABSENT_LDT));
  });

  test('LLDT and LTR are #GP(0) outside CPL 0, SLDT and STR are not', () => {
    const p = new TestProcessor();
    p.enterUserMode();
    expect(withAx(p, lldt_Ew, LDT0)).toEqual(faults(VECTOR_GP));
    expect(withAx(p, ltr_Ew, TSS32)).toEqual(faults(VECTOR_GP));
    expect(withAx(p, sldt_Ew, 0)).toBe('done');
    expect(withAx(p, str_Ew, 0)).toBe('done');
  });

  test('all four are #UD in real mode', () => {
    const p = new TestProcessor();
    p.state.set(L.CR0, 0);
    updateMode(p.core);
    for (const procedure of [lldt_Ew, sldt_Ew, ltr_Ew, str_Ew]) {
      expect(p.execute(procedure, instruction())).toEqual(faults(VECTOR_UD));
    }
  });
});

describe('LTR and STR', () => {
  test.each([
    ['32', TSS32, 0x167, 0x8b],
    ['16', TSS16, 0x2b, 0x83],
  ])('LTR of a %s-bit TSS marks it busy in the GDT and in TR', (_, selector, limit, access) => {
    const p = new TestProcessor();
    expect(withAx(p, ltr_Ew, selector)).toBe('done');
    expect(p.segment(L.SEG_TR)).toEqual({ selector, base: TSS, limit });
    expect(p.state.segmentAccess(L.SEG_TR)).toBe(access);
    expect(p.core.physical.read(GDT + selector + 5, 1)).toBe(access);
  });

  test('LTR of the same TSS again is #GP, since it is busy', () => {
    const p = new TestProcessor();
    withAx(p, ltr_Ew, TSS32);
    expect(withAx(p, ltr_Ew, TSS32)).toEqual(faults(VECTOR_GP, TSS32));
  });

  test('LTR takes nothing but a present, available TSS in the GDT', () => {
    const p = new TestProcessor();
    expect(withAx(p, ltr_Ew, 0)).toEqual(faults(VECTOR_GP, 0));
    expect(withAx(p, ltr_Ew, 3)).toEqual(faults(VECTOR_GP, 0));
    expect(withAx(p, ltr_Ew, TSS32 | 4)).toEqual(faults(VECTOR_GP, TSS32 | 4));
    expect(withAx(p, ltr_Ew, TSS_BUSY)).toEqual(faults(VECTOR_GP, TSS_BUSY));
    expect(withAx(p, ltr_Ew, CALL_GATE)).toEqual(faults(VECTOR_GP, CALL_GATE));
    expect(withAx(p, ltr_Ew, LDT0)).toEqual(faults(VECTOR_GP, LDT0));
    expect(withAx(p, ltr_Ew, 0x98)).toEqual(faults(VECTOR_GP, 0x98));
    expect(withAx(p, ltr_Ew, ABSENT_TSS | 1)).toEqual(faults(VECTOR_NP, ABSENT_TSS));
  });

  test('STR stores 16 bits to memory and zero-extends into a 32-bit register', () => {
    const p = new TestProcessor();
    p.poke(DATA, 4, -1);
    p.execute(str_Ew, atMemory(DATA));
    expect(p.dword(DATA)).toBe(0xffff0000 + TSS32);
    p.state.setReg32(3, -1);
    p.execute(str_Ew, instruction({ rm: 3 }));
    expect(p.state.reg32(3)).toBe(TSS32);
    p.state.setReg32(3, -1);
    p.execute(str_Ew, instruction({ rm: 3, operandSize: 2 }));
    expect(p.state.reg32(3) >>> 0).toBe(0xffff0000 + TSS32);
  });
});
