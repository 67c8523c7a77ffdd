import { describe, expect, test } from 'vitest';
import { EFLAGS_ARITHMETIC, EFLAGS_RESERVED1, EFLAGS_ZF } from '../../../src/cpu/eflags.js';
import { VECTOR_PF, VECTOR_UD } from '../../../src/cpu/fault.js';
import { setSegment, updateMode } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import {
  arpl_Ew_Gw,
  lar_Gv_Ew,
  lsl_Gv_Ew,
  verr_Ew,
  verw_Ew,
} from '../../../src/cpu/system/descriptor-checks.js';
import type { Procedure } from '../../../src/cpu/system/procedure.js';
import {
  ABSENT,
  atMemory,
  CALL_GATE,
  CODE0,
  CODE3,
  CONFORMING,
  DATA,
  DATA0,
  DATA3,
  EXECUTE_ONLY,
  faults,
  INTERRUPT_GATE,
  instruction,
  LDT,
  LDT0,
  READ_ONLY,
  STACK16,
  TASK_GATE,
  TestProcessor,
  TSS_BUSY,
  TSS16,
  TSS32,
} from './processor.js';

const EAX = 0;
const ECX = 1;
const UNTOUCHED = 0x55aa55aa;

/** Asks about the selector in AX, with ECX as destination. */
function ask(p: TestProcessor, procedure: Procedure, selector: number, operandSize: 2 | 4 = 4) {
  p.state.setReg32(EAX, 0xdead0000 | selector);
  p.state.setReg32(ECX, UNTOUCHED);
  p.eflags = EFLAGS_ARITHMETIC & ~EFLAGS_ZF;
  const insn = instruction({ reg: ECX, rm: EAX, operandSize });
  expect(p.execute(procedure, insn)).toBe('done');
  expect(p.eflags | EFLAGS_ZF).toBe(EFLAGS_ARITHMETIC | EFLAGS_RESERVED1);
  return { isSet: (p.eflags & EFLAGS_ZF) !== 0, value: p.state.reg32(ECX) >>> 0 };
}

const NO = { isSet: false, value: UNTOUCHED };
const USER_RPL = 3;

function userProcessor(): TestProcessor {
  const p = new TestProcessor();
  p.enterUserMode();
  return p;
}

describe('LAR', () => {
  test('gives the rights of code and data as they lie in the second doubleword', () => {
    const p = new TestProcessor();
    expect(ask(p, lar_Gv_Ew, CODE0)).toEqual({ isSet: true, value: 0x00cf9b00 });
    expect(ask(p, lar_Gv_Ew, ABSENT)).toEqual({ isSet: true, value: 0x00cf1300 });
  });

  test('with an operand size of 16 gives the low half', () => {
    const p = new TestProcessor();
    expect(ask(p, lar_Gv_Ew, CODE0, 2)).toEqual({ isSet: true, value: 0x55aa9b00 });
  });

  test.each([
    ['LDT', LDT0, 0x8200],
    ['TSS', TSS32, 0x8900],
    ['16-bit TSS', TSS16, 0x8100],
    ['busy TSS', TSS_BUSY, 0x8b00],
    ['call gate', CALL_GATE, 0xec00],
    ['task gate', TASK_GATE, 0xe500],
  ])('knows the %s', (_, selector, value) => {
    expect(ask(new TestProcessor(), lar_Gv_Ew, selector)).toEqual({ isSet: true, value });
  });

  test('knows no interrupt gate, and leaves the register', () => {
    expect(ask(new TestProcessor(), lar_Gv_Ew, INTERRUPT_GATE)).toEqual(NO);
  });

  test('a null selector and one beyond its table clear ZF', () => {
    const p = new TestProcessor();
    expect(ask(p, lar_Gv_Ew, 0)).toEqual(NO);
    expect(ask(p, lar_Gv_Ew, 3)).toEqual(NO);
    expect(ask(p, lar_Gv_Ew, 0x98)).toEqual(NO);
    expect(ask(p, lar_Gv_Ew, 4)).toEqual(NO);
  });

  test('finds descriptors of the LDT', () => {
    const p = new TestProcessor();
    setSegment(p.core, L.SEG_LDTR, LDT0, LDT, 0xf, 0x82);
    p.describe(0xc, 0, 0x42, 0x93);
    expect(ask(p, lar_Gv_Ew, 0xc)).toEqual({ isSet: true, value: 0x9300 });
    expect(ask(p, lar_Gv_Ew, 0x14)).toEqual(NO);
  });

  test('neither CPL nor RPL may exceed DPL, but for conforming code', () => {
    const user = userProcessor();
    expect(ask(user, lar_Gv_Ew, DATA0).isSet).toBe(false);
    expect(ask(user, lar_Gv_Ew, DATA3 & ~USER_RPL).isSet).toBe(true);
    expect(ask(user, lar_Gv_Ew, CONFORMING).isSet).toBe(true);
    expect(ask(user, lar_Gv_Ew, TSS32).isSet).toBe(false);
    const kernel = new TestProcessor();
    expect(ask(kernel, lar_Gv_Ew, DATA0 | USER_RPL).isSet).toBe(false);
    expect(ask(kernel, lar_Gv_Ew, CONFORMING | USER_RPL).isSet).toBe(true);
  });
});

describe('LSL', () => {
  test('gives the limit in bytes', () => {
    const p = new TestProcessor();
    expect(ask(p, lsl_Gv_Ew, DATA0)).toEqual({ isSet: true, value: 0xffffffff });
    expect(ask(p, lsl_Gv_Ew, STACK16)).toEqual({ isSet: true, value: 0xffff });
    expect(ask(p, lsl_Gv_Ew, DATA0, 2)).toEqual({ isSet: true, value: 0x55aaffff });
  });

  test('knows TSSs and the LDT, but no gates', () => {
    const p = new TestProcessor();
    expect(ask(p, lsl_Gv_Ew, LDT0)).toEqual({ isSet: true, value: 0xf });
    expect(ask(p, lsl_Gv_Ew, TSS32)).toEqual({ isSet: true, value: 0x167 });
    for (const gate of [CALL_GATE, TASK_GATE, INTERRUPT_GATE]) {
      expect(ask(p, lsl_Gv_Ew, gate)).toEqual(NO);
    }
  });
});

describe('VERR and VERW', () => {
  // biome-ignore format: table
  test.each([
    ['writable data',      DATA3,        true,  true],
    ['read-only data',     READ_ONLY,    true,  false],
    ['readable code',      CODE3,        true,  false],
    ['execute-only code',  EXECUTE_ONLY, false, false],
    ['inner data',         DATA0,        false, false],
    ['inner conforming',   CONFORMING,   true,  false],
    ['a call gate',        CALL_GATE,    false, false],
    ['the null selector',  0,            false, false],
  ])('at CPL 3: %s', (_, selector, isReadable, isWritable) => {
    const p = userProcessor();
    expect(ask(p, verr_Ew, selector).isSet).toBe(isReadable);
    expect(ask(p, verw_Ew, selector).isSet).toBe(isWritable);
  });

  test('the present bit is not asked for', () => {
    const p = new TestProcessor();
    expect(ask(p, verr_Ew, ABSENT).isSet).toBe(true);
    expect(ask(p, verw_Ew, ABSENT).isSet).toBe(true);
  });
});

describe('ARPL', () => {
  const arpl = instruction({ reg: ECX, rm: EAX });

  test('raises a lower RPL and sets ZF', () => {
    const p = new TestProcessor();
    p.state.setReg32(EAX, 0x12340011);
    p.state.setReg32(ECX, 3);
    expect(p.execute(arpl_Ew_Gw, arpl)).toBe('done');
    expect(p.state.reg32(EAX)).toBe(0x12340013);
    expect(p.eflags & EFLAGS_ZF).toBe(EFLAGS_ZF);
  });

  test('leaves an RPL that is high enough, clears ZF, and writes nothing', () => {
    const p = new TestProcessor();
    p.enablePaging();
    p.poke(0xa000, 2, 0x13);
    p.makeReadOnly(0xa000);
    p.enterUserMode();
    p.state.setReg32(ECX, 3);
    p.eflags = EFLAGS_ZF;
    const insn = atMemory(0xa000, { reg: ECX });
    expect(p.execute(arpl_Ew_Gw, insn)).toBe('done');
    expect(p.eflags & EFLAGS_ZF).toBe(0);
    p.makeReadOnly(0xa000);
    p.poke(0xa000, 2, 0x10);
    expect(p.execute(arpl_Ew_Gw, insn)).toEqual(faults(VECTOR_PF, 7));
  });
});

test('all five are #UD in real mode', () => {
  const p = new TestProcessor();
  p.state.set(L.CR0, 0);
  updateMode(p.core);
  for (const procedure of [lar_Gv_Ew, lsl_Gv_Ew, verr_Ew, verw_Ew, arpl_Ew_Gw]) {
    expect(p.execute(procedure, atMemory(DATA))).toEqual(faults(VECTOR_UD));
  }
});
