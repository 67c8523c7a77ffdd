import { describe, expect, test } from 'vitest';
import { VECTOR_GP, VECTOR_NP, VECTOR_PF, VECTOR_SS, VECTOR_UD } from '../../../src/cpu/fault.js';
import { setSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import {
  lds_Gv_Mp,
  les_Gv_Mp,
  lfs_Gv_Mp,
  lss_Gv_Mp,
  mov_Ew_Sw,
  mov_Sw_Ew,
  pop_DS,
  pop_ES,
  pop_GS,
  pop_SS,
  push_CS,
  push_FS,
} from '../../../src/cpu/system/segment-moves.js';
import {
  ABSENT,
  atMemory,
  CODE0,
  CODE3,
  DATA,
  DATA0,
  DATA3,
  EXECUTE_ONLY,
  faults,
  instruction,
  READ_ONLY,
  STACK,
  STACK16,
  TestProcessor,
} from './processor.js';

const EAX = 0;

/** MOV Sreg, AX with a selector in AX. */
function load(p: TestProcessor, segment: number, selector: number): unknown {
  p.state.setReg32(EAX, selector);
  return p.execute(mov_Sw_Ew, instruction({ reg: segment }));
}

describe('MOV from a segment register', () => {
  test('zero-extends into a 32-bit register', () => {
    const p = new TestProcessor();
    p.state.setReg32(EAX, -1);
    p.execute(mov_Ew_Sw, instruction({ reg: L.SEG_CS }));
    expect(p.state.reg32(EAX)).toBe(CODE0);
  });

  test('leaves the upper half of the register with an operand size of 16', () => {
    const p = new TestProcessor();
    p.state.setReg32(EAX, -1);
    p.execute(mov_Ew_Sw, instruction({ reg: L.SEG_DS, operandSize: 2 }));
    expect(p.state.reg32(EAX) >>> 0).toBe(0xffff0000 + DATA0);
  });

  test('stores 16 bits to memory whatever the operand size', () => {
    const p = new TestProcessor();
    p.poke(DATA, 4, -1);
    p.execute(mov_Ew_Sw, atMemory(DATA, { reg: L.SEG_DS }));
    expect(p.dword(DATA)).toBe(0xffff0000 + DATA0);
  });

  test.each([6, 7])('segment register %i is #UD', (reg) => {
    const p = new TestProcessor();
    expect(p.execute(mov_Ew_Sw, instruction({ reg }))).toEqual(faults(VECTOR_UD));
    expect(p.execute(mov_Sw_Ew, instruction({ reg }))).toEqual(faults(VECTOR_UD));
  });
});

describe('MOV to a segment register', () => {
  test('CS is #UD', () => {
    expect(load(new TestProcessor(), L.SEG_CS, CODE0)).toEqual(faults(VECTOR_UD));
  });

  test('loads base and limit from the descriptor, and marks it accessed', () => {
    const p = new TestProcessor();
    p.describe(STACK16, 0x12345678, 0x0123, 0x0092);
    expect(load(p, L.SEG_GS, STACK16)).toBe('done');
    expect(p.segment(L.SEG_GS)).toEqual({ selector: STACK16, base: 0x12345678, limit: 0x123 });
    expect(p.core.physical.read(0x1000 + STACK16 + 5, 1)).toBe(0x93);
  });

  test('a null selector may be loaded into any data segment but SS', () => {
    const p = new TestProcessor();
    expect(load(p, L.SEG_FS, 3)).toBe('done');
    expect(load(p, L.SEG_SS, 0)).toEqual(faults(VECTOR_GP, 0));
  });

  test('faults name the selector without its RPL', () => {
    const p = new TestProcessor();
    expect(load(p, L.SEG_DS, ABSENT | 3)).toEqual(faults(VECTOR_GP, ABSENT));
    expect(load(p, L.SEG_DS, ABSENT)).toEqual(faults(VECTOR_NP, ABSENT));
    expect(load(p, L.SEG_SS, ABSENT)).toEqual(faults(VECTOR_SS, ABSENT));
    expect(load(p, L.SEG_ES, EXECUTE_ONLY)).toEqual(faults(VECTOR_GP, EXECUTE_ONLY));
    expect(load(p, L.SEG_ES, 0x200)).toEqual(faults(VECTOR_GP, 0x200));
    expect(load(p, L.SEG_SS, READ_ONLY)).toEqual(faults(VECTOR_GP, READ_ONLY));
  });
});

describe('the shadow of MOV SS and POP SS', () => {
  test('MOV SS casts it, and a load of another segment does not', () => {
    const p = new TestProcessor();
    load(p, L.SEG_SS, DATA0);
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_MOV_SS);
    expect(p.attentions).toBeGreaterThan(0);
    load(p, L.SEG_DS, DATA0);
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_NONE);
  });

  test('a second MOV SS in a row does not extend it, a third casts it anew', () => {
    const p = new TestProcessor();
    load(p, L.SEG_SS, DATA0);
    load(p, L.SEG_SS, DATA0);
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_NONE);
    load(p, L.SEG_SS, DATA0);
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_MOV_SS);
  });

  test('MOV SS after STI casts it', () => {
    const p = new TestProcessor();
    p.state.set(L.SHADOW, L.SHADOW_STI);
    load(p, L.SEG_SS, DATA0);
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_MOV_SS);
  });

  test('POP SS casts it, and a POP SS behind it does not extend it', () => {
    const p = new TestProcessor();
    p.poke(STACK, 4, DATA0);
    p.poke(STACK + 4, 4, DATA0);
    expect(p.execute(pop_SS)).toBe('done');
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_MOV_SS);
    expect(p.execute(pop_SS)).toBe('done');
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_NONE);
    expect(p.state.esp).toBe(STACK + 8);
  });

  test('LSS casts none', () => {
    const p = new TestProcessor();
    p.poke(DATA, 4, 0x1234);
    p.poke(DATA + 4, 2, DATA0);
    expect(p.execute(lss_Gv_Mp, atMemory(DATA, { reg: 4 }))).toBe('done');
    expect(p.state.esp).toBe(0x1234);
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_NONE);
  });

  test('a MOV SS that faults casts none', () => {
    const p = new TestProcessor();
    load(p, L.SEG_SS, 0);
    expect(p.state.get(L.SHADOW)).toBe(L.SHADOW_NONE);
  });
});

describe('PUSH and POP of segment registers', () => {
  test('a push of 32 bits writes the selector zero-extended', () => {
    const p = new TestProcessor();
    p.poke(STACK - 4, 4, -1);
    p.execute(push_CS);
    expect(p.dword(STACK - 4)).toBe(CODE0);
    expect(p.state.esp).toBe(STACK - 4);
  });

  test('a push of 16 bits writes two bytes', () => {
    const p = new TestProcessor();
    p.poke(STACK - 4, 4, -1);
    p.execute(push_FS, instruction({ operandSize: 2 }));
    expect(p.dword(STACK - 4)).toBe(((DATA0 << 16) | 0xffff) >>> 0);
    expect(p.state.esp).toBe(STACK - 2);
  });

  test('a pop ignores the upper half of a 32-bit slot', () => {
    const p = new TestProcessor();
    p.poke(STACK, 4, 0x7fff0000 | DATA3);
    expect(p.execute(pop_GS)).toBe('done');
    expect(p.state.selector(L.SEG_GS)).toBe(DATA3);
    expect(p.state.esp).toBe(STACK + 4);
  });

  test('a pop whose load faults leaves ESP', () => {
    const p = new TestProcessor();
    p.poke(STACK, 4, ABSENT);
    expect(p.execute(pop_ES)).toEqual(faults(VECTOR_NP, ABSENT));
    expect(p.state.esp).toBe(STACK);
  });

  test('POP SS moves the stack pointer by the width of the old stack', () => {
    const p = new TestProcessor();
    p.useStack16();
    p.state.esp = 0x0001fffe;
    p.poke(0xfffe, 2, DATA0);
    expect(p.execute(pop_SS, instruction({ operandSize: 2 }))).toBe('done');
    expect(p.state.esp).toBe(0x00010000);
  });

  test('on a 16-bit stack a push wraps SP and leaves the upper half of ESP', () => {
    const p = new TestProcessor();
    p.useStack16();
    p.state.esp = 0x00050000;
    p.execute(push_CS, instruction({ operandSize: 2 }));
    expect(p.state.esp).toBe(0x0005fffe);
    expect(p.word(0xfffe)).toBe(CODE0);
  });

  test('a pop checks the limit of SS', () => {
    const p = new TestProcessor();
    setSegment(p.core, L.SEG_SS, DATA0, 0, STACK + 2, 0x4093);
    expect(p.execute(pop_DS)).toEqual(faults(VECTOR_SS, 0));
  });
});

describe('far pointer loads', () => {
  test('the offset lies below the selector, 32 bits of it', () => {
    const p = new TestProcessor();
    p.poke(DATA, 4, 0xcafebabe | 0);
    p.poke(DATA + 4, 2, DATA3);
    expect(p.execute(les_Gv_Mp, atMemory(DATA, { reg: 3 }))).toBe('done');
    expect(p.state.reg32(3) >>> 0).toBe(0xcafebabe);
    expect(p.state.selector(L.SEG_ES)).toBe(DATA3);
  });

  test('with an operand size of 16 the offset has 16 bits and the upper half of the register stays', () => {
    const p = new TestProcessor();
    p.state.setReg32(3, -1);
    p.poke(DATA, 4, (DATA3 << 16) | 0x1234);
    expect(p.execute(lds_Gv_Mp, atMemory(DATA, { reg: 3, operandSize: 2 }))).toBe('done');
    expect(p.state.reg32(3) >>> 0).toBe(0xffff1234);
    expect(p.state.selector(L.SEG_DS)).toBe(DATA3);
  });

  test('the register form is #UD', () => {
    const p = new TestProcessor();
    expect(p.execute(lfs_Gv_Mp, instruction())).toEqual(faults(VECTOR_UD));
  });

  test('a load that faults leaves the general register', () => {
    const p = new TestProcessor();
    p.poke(DATA, 4, 1);
    p.poke(DATA + 4, 2, ABSENT);
    expect(p.execute(lds_Gv_Mp, atMemory(DATA, { reg: 3 }))).toEqual(faults(VECTOR_NP, ABSENT));
  });

  test('a selector on an absent page is #PF, nothing loaded', () => {
    const p = new TestProcessor();
    p.enablePaging();
    p.unmap(0xb000);
    p.enterUserMode();
    const insn = atMemory(0xaffc, { reg: 3 });
    expect(p.execute(les_Gv_Mp, insn)).toEqual(faults(VECTOR_PF, 4));
  });

  test('at CPL 3 SS takes no inner and no outer selector', () => {
    const p = new TestProcessor();
    p.enterUserMode();
    expect(load(p, L.SEG_SS, DATA0)).toEqual(faults(VECTOR_GP, DATA0));
    expect(load(p, L.SEG_SS, CODE3)).toEqual(faults(VECTOR_GP, CODE3 & ~3));
    expect(load(p, L.SEG_SS, DATA3)).toBe('done');
  });
});
