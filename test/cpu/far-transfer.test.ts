import { beforeEach, describe, expect, test } from 'vitest';
import type { Core } from '../../src/cpu/core.js';
import { EFLAGS_IF, EFLAGS_VM, readEflags, writeEflags } from '../../src/cpu/eflags.js';
import { VECTOR_GP, VECTOR_NP, VECTOR_SS, VECTOR_TS, VECTOR_UD } from '../../src/cpu/fault.js';
import { setCpl, setNullSegment, setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import { retf, retf_Iw } from '../../src/cpu/system/far-return.js';
import { callf_Ap, callf_Ep, jmpf_Ap, jmpf_Ep } from '../../src/cpu/system/far-transfer.js';
import { sysenter, sysexit } from '../../src/cpu/system/sysenter.js';
import {
  accessByte,
  bareCore,
  enterUser,
  expectFault,
  FREE,
  instruction,
  KERNEL_CODE,
  KERNEL_DATA,
  KERNEL_STACK,
  LDT_SELECTOR,
  peek16,
  poke16,
  poke32,
  putGate,
  putSegment,
  stackDwords,
  stackUp,
  TSS,
  USER_CODE,
  USER_DATA,
  USER_STACK,
} from './support/bare-core.js';

const TARGET = 0x123456;
/** The selector after FREE, for gates that lead to FREE. */
const GATE = 0x40;
const LENGTH = 7;

let core: Core;
beforeEach(() => {
  core = bareCore();
});

function far(selector: number, offset = TARGET, operandSize: 2 | 4 = 4) {
  return instruction({ length: LENGTH, operandSize, immediate: offset, immediate2: selector });
}

function where(): { cs: number; eip: number; cpl: number; ss: number; esp: number } {
  const { state } = core;
  return {
    cs: state.selector(L.SEG_CS),
    eip: state.eip,
    cpl: state.cpl,
    ss: state.selector(L.SEG_SS),
    esp: state.esp,
  };
}

describe('JMP and CALL to a code segment', () => {
  // Selector, access rights of its descriptor, CPL, and the fault or the CS to be. SDM vol. 2, JMP.
  const rows: [string, number, number, number, [number, number] | number][] = [
    ['null', 3, 0, 0, [VECTOR_GP, 0]],
    ['beyond the GDT', 0x203, 0, 0, [VECTOR_GP, 0x200]],
    ['data', FREE, 0xc093, 0, [VECTOR_GP, FREE]],
    ['an LDT', LDT_SELECTOR, 0x82, 0, [VECTOR_GP, LDT_SELECTOR]],
    ['nonconforming of the same level', FREE, 0xc09b, 0, FREE],
    ['nonconforming, RPL beyond CPL', FREE | 1, 0xc09b, 0, [VECTOR_GP, FREE]],
    ['nonconforming, RPL below CPL', FREE, 0xc0fb, 3, FREE | 3],
    ['nonconforming of an outer level', FREE, 0xc0fb, 0, [VECTOR_GP, FREE]],
    ['nonconforming of an inner level', FREE | 3, 0xc09b, 3, [VECTOR_GP, FREE]],
    ['conforming of an inner level', FREE, 0xc09f, 3, FREE | 3],
    ['conforming of the same level', FREE, 0xc09f, 0, FREE],
    ['conforming, where RPL counts for nothing', FREE | 3, 0xc09f, 0, FREE],
    ['conforming of an outer level', FREE, 0xc0ff, 0, [VECTOR_GP, FREE]],
    ['absent', FREE, 0xc01b, 0, [VECTOR_NP, FREE]],
  ];
  describe.each([
    ['JMP', jmpf_Ap, 0],
    ['CALL', callf_Ap, 8],
  ] as const)('%s', (_mnemonic, transfer, pushed) => {
    test.each(rows)('%s', (_name, selector, access, cpl, expected) => {
      if (access !== 0) putSegment(core, selector, 0, 0xfffff, access);
      if (cpl === 3) enterUser(core);
      const { esp } = core.state;
      const from = core.state.selector(L.SEG_CS);
      if (typeof expected !== 'number') {
        expectFault(core, expected[0], expected[1], () => transfer(core, far(selector)));
        return;
      }
      transfer(core, far(selector));
      expect(where()).toMatchObject({ cs: expected, eip: TARGET, cpl, esp: esp - pushed });
      if (pushed) expect(stackDwords(core, 2)).toEqual([0x100 + LENGTH, from]);
    });

    test('an offset beyond the limit is #GP(0), and one of 16 bits is cut', () => {
      putSegment(core, FREE, 0, 0xfff, 0x409b);
      expectFault(core, VECTOR_GP, 0, () => transfer(core, far(FREE, 0x1000)));
      transfer(core, far(FREE, 0x10fff, 2));
      expect(core.state.eip).toBe(0xfff);
      expect(core.state.esp).toBe(KERNEL_STACK - pushed / 2);
    });

    test('sets the accessed bit', () => {
      putSegment(core, FREE, 0, 0xfffff, 0xc09a);
      transfer(core, far(FREE));
      expect(accessByte(core, FREE)).toBe(0x9b);
    });
  });

  test('a pointer in memory has the offset first, of the operand’s size', () => {
    poke32(core, 0x6000, TARGET);
    poke16(core, 0x6004, KERNEL_CODE);
    const insn = { length: 6, isMemory: true, displacement: 0x6000 };
    jmpf_Ep(core, instruction(insn));
    expect(core.state.eip).toBe(TARGET);
    poke16(core, 0x6002, KERNEL_CODE);
    callf_Ep(core, instruction({ ...insn, operandSize: 2 }));
    expect(core.state.eip).toBe(TARGET & 0xffff);
    expect([peek16(core, core.state.esp), peek16(core, core.state.esp + 2)]).toEqual([
      (TARGET + 6) & 0xffff,
      KERNEL_CODE,
    ]);
    expectFault(core, VECTOR_UD, 0, () => jmpf_Ep(core, instruction()));
  });

  test('a call whose frame doesn’t fit is #SS(0)', () => {
    setSegment(core, L.SEG_SS, KERNEL_DATA, 0, KERNEL_STACK - 8, 0x4097);
    expectFault(core, VECTOR_SS, 0, () => callf_Ap(core, far(KERNEL_CODE)));
  });

  test('in virtual-8086 mode a selector is a paragraph number', () => {
    enterUser(core);
    writeEflags(core.state, EFLAGS_VM, -1);
    for (const segment of [L.SEG_CS, L.SEG_SS] as const) {
      setSegment(core, segment, 0x1000, 0x10000, 0xffff, 0xf3);
    }
    setCpl(core, 3);
    callf_Ap(core, far(0x2345, 0x678, 2));
    expect(core.state.segmentBase(L.SEG_CS)).toBe(0x23450);
    expect(core.state.eip).toBe(0x678);
    const stack = 0x10000 + core.state.esp;
    expect([peek16(core, stack), peek16(core, stack + 2)]).toEqual([0x100 + LENGTH, 0x1000]);
    retf(core, instruction({ operandSize: 2 }));
    expect(where()).toMatchObject({ cs: 0x1000, eip: 0x100 + LENGTH, esp: USER_STACK });
    expectFault(core, VECTOR_GP, 0, () => jmpf_Ap(core, far(0x2345, 0x10000)));
  });
});

describe('call gates', () => {
  function gate(access: number, code: number, parameters = 0): void {
    putSegment(core, FREE, 0, 0xfffff, code);
    putGate(core, GATE, FREE, TARGET, access, parameters);
  }

  test('a call to an inner level switches stacks and takes the parameters along', () => {
    gate(0xec, 0xc09b, 3);
    enterUser(core);
    stackUp(core, 0x11, 0x22, 0x33, 0x44);
    callf_Ap(core, far(GATE | 3, 0xdead));
    expect(where()).toEqual({
      cs: FREE,
      eip: TARGET,
      cpl: 0,
      ss: KERNEL_DATA,
      esp: KERNEL_STACK - 28,
    });
    expect(stackDwords(core, 7)).toEqual([
      0x100 + LENGTH,
      USER_CODE,
      0x11,
      0x22,
      0x33,
      USER_STACK - 16,
      USER_DATA,
    ]);
    expect(core.state.get(L.MODE) & L.MODE_USER).toBe(0);
  });

  test('RETF n goes back to the outer level and drops the parameters from both stacks', () => {
    gate(0xec, 0xc09b, 3);
    enterUser(core);
    stackUp(core, 0x11, 0x22, 0x33, 0x44);
    callf_Ap(core, far(GATE | 3));
    setSegment(core, L.SEG_ES, KERNEL_DATA, 0, -1, 0xc093);
    setSegment(core, L.SEG_FS, FREE, 0, -1, 0xc09f);
    retf_Iw(core, instruction({ immediate: 12 }));
    expect(where()).toEqual({
      cs: USER_CODE,
      eip: 0x100 + LENGTH,
      cpl: 3,
      ss: USER_DATA,
      esp: USER_STACK - 4,
    });
    // ES was the kernel's; FS is conforming code; DS was the user's all the time.
    expect(core.state.selector(L.SEG_ES)).toBe(0);
    expect(core.state.segmentAccess(L.SEG_ES)).toBe(0);
    expect(core.state.selector(L.SEG_FS)).toBe(FREE);
    expect(core.state.selector(L.SEG_DS)).toBe(USER_DATA);
  });

  test('a call inward sets the accessed bits of code and stack', () => {
    gate(0xec, 0xc09a);
    putSegment(core, KERNEL_DATA, 0, 0xfffff, 0xc092);
    enterUser(core);
    callf_Ap(core, far(GATE | 3));
    expect([accessByte(core, FREE), accessByte(core, KERNEL_DATA)]).toEqual([0x9b, 0x93]);
  });

  test('level 1 has its own stack in the TSS, and error codes drop the RPL', () => {
    gate(0xec, 0xc0bb);
    putSegment(core, 0x48, 0, 0xffff, 0x40b3);
    poke32(core, TSS + 12, 0x7000);
    poke32(core, TSS + 16, 0x49);
    enterUser(core);
    callf_Ap(core, far(GATE | 3));
    expect(where()).toEqual({ cs: FREE | 1, eip: TARGET, cpl: 1, ss: 0x49, esp: 0x7000 - 16 });
    enterUser(core);
    poke32(core, TSS + 12, 12);
    expectFault(core, VECTOR_SS, 0x48, () => callf_Ap(core, far(GATE | 3)));
  });

  test('a 16-bit gate copies and pushes words', () => {
    gate(0xe4, 0xc09b, 2);
    enterUser(core);
    stackUp(core, 0x00220011);
    callf_Ap(core, far(GATE | 3));
    expect(core.state.eip).toBe(TARGET & 0xffff);
    expect(core.state.esp).toBe(KERNEL_STACK - 12);
    const words = [0, 2, 4, 6, 8, 10].map((at) => peek16(core, core.state.esp + at));
    expect(words).toEqual([0x100 + LENGTH, USER_CODE, 0x11, 0x22, USER_STACK - 4, USER_DATA]);
    retf_Iw(core, instruction({ operandSize: 2, immediate: 4 }));
    expect(where()).toMatchObject({ cs: USER_CODE, eip: 0x100 + LENGTH, esp: USER_STACK });
  });

  test('at the same level and to conforming code no stack is switched', () => {
    gate(0x8c, 0xc09b, 3);
    callf_Ap(core, far(GATE));
    expect(where()).toMatchObject({ cs: FREE, eip: TARGET, cpl: 0, esp: KERNEL_STACK - 8 });
    gate(0xec, 0xc09f, 3);
    enterUser(core);
    callf_Ap(core, far(GATE | 3));
    expect(where()).toMatchObject({ cs: FREE | 3, eip: TARGET, cpl: 3, esp: USER_STACK - 8 });
  });

  test('a jump goes through a gate at its own level, never further in', () => {
    gate(0xec, 0xc0fb);
    enterUser(core);
    jmpf_Ap(core, far(GATE | 3));
    expect(where()).toMatchObject({ cs: FREE | 3, eip: TARGET, esp: USER_STACK });
    gate(0xec, 0xc09b);
    expectFault(core, VECTOR_GP, FREE, () => jmpf_Ap(core, far(GATE | 3)));
  });

  test('a jump through a gate to absent code is #NP with the code’s selector, RPL dropped', () => {
    putSegment(core, FREE, 0, 0xfffff, 0xc07b);
    putGate(core, GATE, FREE | 3, TARGET, 0xec);
    enterUser(core);
    expectFault(core, VECTOR_NP, FREE, () => jmpf_Ap(core, far(GATE | 3)));
  });

  // Of the gate, its code segment and the inner stack, from CPL 3. SDM vol. 2, CALL.
  const rows: [string, () => void, number, number][] = [
    ['gate’s DPL below the CPL', () => gate(0x8c, 0xc09b), VECTOR_GP, GATE],
    ['gate absent', () => gate(0x6c, 0xc09b), VECTOR_NP, GATE],
    ['code selector null', () => putGate(core, GATE, 0, 0, 0xec), VECTOR_GP, 0],
    ['code beyond the GDT', () => putGate(core, GATE, 0x203, 0, 0xec), VECTOR_GP, 0x200],
    ['no code', () => gate(0xec, 0xc093), VECTOR_GP, FREE],
    ['code absent', () => gate(0xec, 0xc01b), VECTOR_NP, FREE],
    ['inner SS null', () => good(() => poke32(core, TSS + 8, 0)), VECTOR_TS, 0],
    ['inner SS of another level', () => good(() => poke32(core, TSS + 8, 0x23)), VECTOR_TS, 0x20],
    ['inner stack too small', () => good(() => shortInnerStack()), VECTOR_SS, 0x10],
    ['offset beyond the limit', () => good(() => shortCode()), VECTOR_GP, 0],
    ['no parameters to read', () => good(() => shortStack()), VECTOR_SS, 0],
  ];
  function good(change: () => void): void {
    gate(0xec, 0xc09b, 31);
    change();
  }
  function shortCode(): void {
    putSegment(core, FREE, 0, 0xfff, 0x409b);
  }
  /** One dword short of SS, ESP, 31 parameters, CS and EIP. */
  function shortInnerStack(): void {
    putSegment(core, KERNEL_DATA, 0, 0xffff, 0x4093);
    poke32(core, TSS + 4, 34 * 4);
  }
  function shortStack(): void {
    setSegment(core, L.SEG_SS, USER_DATA, 0, USER_STACK + 100, 0x40f3);
  }
  test.each(rows)('%s', (_name, breakIt, vector, errorCode) => {
    enterUser(core);
    breakIt();
    expectFault(core, vector, errorCode, () => callf_Ap(core, far(GATE | 3)));
  });

  test('the gate’s RPL counts as well as the CPL', () => {
    gate(0x8c, 0xc09b);
    expectFault(core, VECTOR_GP, GATE, () => callf_Ap(core, far(GATE | 1)));
  });
});

describe('RETF', () => {
  test('to the same level takes EIP, CS and the immediate off the stack', () => {
    stackUp(core, TARGET, KERNEL_CODE);
    retf_Iw(core, instruction({ immediate: 0x10 }));
    expect(where()).toMatchObject({ cs: KERNEL_CODE, eip: TARGET, esp: KERNEL_STACK + 0x10 });
  });

  // The frame EIP, CS, ESP, SS, met at CPL 0, and the fault. SDM vol. 2, RET.
  const rows: [string, number[], number, number][] = [
    ['CS null', [TARGET, 0], VECTOR_GP, 0],
    ['CS beyond the GDT', [TARGET, 0x200], VECTOR_GP, 0x200],
    ['CS is data', [TARGET, KERNEL_DATA], VECTOR_GP, KERNEL_DATA],
    ['RPL unlike DPL', [TARGET, USER_CODE & ~3], VECTOR_GP, USER_CODE & ~3],
    ['CS absent', [TARGET, FREE | 3], VECTOR_NP, FREE],
    ['SS null', [TARGET, USER_CODE, 0, 0], VECTOR_GP, 0],
    ['SS with another RPL', [TARGET, USER_CODE, 0, USER_DATA & ~3], VECTOR_GP, USER_DATA & ~3],
    ['SS with another DPL', [TARGET, USER_CODE, 0, KERNEL_DATA | 3], VECTOR_GP, KERNEL_DATA],
    ['SS is code', [TARGET, USER_CODE, 0, USER_CODE], VECTOR_GP, USER_CODE & ~3],
    ['SS absent', [TARGET, USER_CODE, 0, 0x43], VECTOR_SS, 0x40],
    ['EIP beyond the limit', [0x1000, 0x4b, 0, USER_DATA], VECTOR_GP, 0],
  ];
  test.each(rows)('%s', (_name, frame, vector, errorCode) => {
    putSegment(core, FREE, 0, 0xfffff, 0xc07b);
    putSegment(core, 0x40, 0, 0xfffff, 0xc073);
    putSegment(core, 0x48, 0, 0xfff, 0x40fb);
    stackUp(core, ...frame);
    expectFault(core, vector, errorCode, () => retf(core, instruction()));
  });

  test('to an inner level is #GP', () => {
    enterUser(core);
    stackUp(core, TARGET, KERNEL_CODE);
    expectFault(core, VECTOR_GP, KERNEL_CODE, () => retf(core, instruction()));
  });

  test('a frame beyond the stack’s limit is #SS(0)', () => {
    core.state.esp = KERNEL_STACK;
    setSegment(core, L.SEG_SS, KERNEL_DATA, 0, KERNEL_STACK + 6, 0x4093);
    expectFault(core, VECTOR_SS, 0, () => retf(core, instruction()));
  });
});

describe('SYSENTER and SYSEXIT', () => {
  beforeEach(() => {
    // The low two bits of the MSR don't count.
    core.state.set(L.MSR_SYSENTER_CS, KERNEL_CODE | 3);
    core.state.set(L.MSR_SYSENTER_ESP, 0x7000);
    core.state.set(L.MSR_SYSENTER_EIP, TARGET);
  });

  test('SYSENTER goes to CPL 0 with flat segments and IF and VM clear', () => {
    enterUser(core);
    setSegment(core, L.SEG_CS, USER_CODE, 0x1000, 0xfff, 0x40fb);
    writeEflags(core.state, EFLAGS_IF | EFLAGS_VM, -1);
    sysenter(core);
    const { state } = core;
    expect(where()).toEqual({
      cs: KERNEL_CODE,
      eip: TARGET,
      cpl: 0,
      ss: KERNEL_CODE + 8,
      esp: 0x7000,
    });
    expect(readEflags(state)).toBe(2);
    expect([state.segmentBase(L.SEG_CS), state.segmentLimit(L.SEG_CS)]).toEqual([0, -1]);
    expect([state.segmentAccess(L.SEG_CS), state.segmentAccess(L.SEG_SS)]).toEqual([
      0xc09b, 0xc093,
    ]);
    expect(state.get(L.MODE) & ~L.MODE_FLAT).toBe(
      L.MODE_CODE32 | L.MODE_STACK32 | L.MODE_PROTECTED,
    );
  });

  test('SYSEXIT goes to CPL 3 at EDX with the stack at ECX, and leaves EFLAGS and the shadow of STI to end', () => {
    writeEflags(core.state, EFLAGS_IF, -1);
    core.state.set(L.ECX, USER_STACK);
    core.state.set(L.EDX, TARGET);
    sysexit(core);
    expect(where()).toEqual({
      cs: (KERNEL_CODE + 16) | 3,
      eip: TARGET,
      cpl: 3,
      ss: (KERNEL_CODE + 24) | 3,
      esp: USER_STACK,
    });
    expect(readEflags(core.state)).toBe(EFLAGS_IF | 2);
    expect([core.state.segmentAccess(L.SEG_CS), core.state.segmentAccess(L.SEG_SS)]).toEqual([
      0xc0fb, 0xc0f3,
    ]);
    expect(core.state.get(L.TLB_BASE)).toBe(L.TLB_USER);
  });

  test('are #GP(0) while IA32_SYSENTER_CS is null, SYSEXIT also outside CPL 0', () => {
    enterUser(core);
    expectFault(core, VECTOR_GP, 0, () => sysexit(core));
    core.state.set(L.MSR_SYSENTER_CS, 3);
    expectFault(core, VECTOR_GP, 0, () => sysenter(core));
    setCpl(core, 0);
    expectFault(core, VECTOR_GP, 0, () => sysexit(core));
  });
});

test('with a null LDTR a far jump into the LDT is #GP', () => {
  putSegment(core, 0x0c, 0, 0xfffff, 0xc09b);
  jmpf_Ap(core, far(0x0c));
  expect(core.state.selector(L.SEG_CS)).toBe(0x0c);
  setNullSegment(core, L.SEG_LDTR);
  expectFault(core, VECTOR_GP, 0x0c, () => jmpf_Ap(core, far(0x0c)));
});
