import { beforeEach, describe, expect, test } from 'vitest';
import { CR0_PG, CR0_TS, DR6_BT } from '../../src/cpu/control-registers.js';
import type { Core } from '../../src/cpu/core.js';
import {
  EFLAGS_CF,
  EFLAGS_IF,
  EFLAGS_NT,
  EFLAGS_VM,
  readEflags,
  writeEflags,
} from '../../src/cpu/eflags.js';
import {
  Fault,
  fault,
  VECTOR_GP,
  VECTOR_NP,
  VECTOR_PF,
  VECTOR_SS,
  VECTOR_TS,
} from '../../src/cpu/fault.js';
import { setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import { callf_Ap, jmpf_Ap } from '../../src/cpu/system/far-transfer.js';
import { iret } from '../../src/cpu/system/iret.js';
import {
  accessByte,
  bareCore,
  enablePaging,
  enterUser,
  expectFault,
  FREE,
  GDT,
  instruction,
  KERNEL_CODE,
  KERNEL_DATA,
  KERNEL_STACK,
  LDT_SELECTOR,
  mapPage,
  peek16,
  peek32,
  poke16,
  poke32,
  putGate,
  putSegment,
  TSS,
  TSS_B,
  TSS_SELECTOR,
  USER_CODE,
  USER_DATA,
} from './support/bare-core.js';

const LENGTH = 7;
const IRETD = instruction({ length: 1, opcode: 0xcf });
const REGISTERS = [0xa0, 0xc1, 0xd2, 0xb3, 0x8800, 0xb5, 0x56, 0xd7];

let core: Core;
beforeEach(() => {
  core = bareCore();
  putSegment(core, FREE, TSS_B, 0x67, 0x89);
  poke32(core, TSS_B + 0x20, 0x4444);
  poke32(core, TSS_B + 0x24, EFLAGS_IF | EFLAGS_CF | 2);
  REGISTERS.forEach((value, i) => poke32(core, TSS_B + 0x28 + 4 * i, value));
  [KERNEL_DATA, KERNEL_CODE, KERNEL_DATA, KERNEL_DATA, 0, USER_DATA].forEach((selector, i) =>
    poke32(core, TSS_B + 0x48 + 4 * i, selector),
  );
});

function far(selector: number) {
  return instruction({ length: LENGTH, immediate2: selector });
}

function selectors(): number[] {
  return ([0, 1, 2, 3, 4, 5, 6, 7] as const).map((segment) => core.state.selector(segment));
}

describe('JMP to a TSS', () => {
  test('saves the old task, loads the new one, and moves the busy bit', () => {
    const { state } = core;
    for (let i = 0; i < 8; i++) if (i !== 4) state.setReg32(i, 0x100 + i);
    writeEflags(state, EFLAGS_CF, -1);
    jmpf_Ap(core, far(FREE));

    const saved = Array.from({ length: 8 }, (_, i) => peek32(core, TSS + 0x28 + 4 * i));
    expect(saved).toEqual([0x100, 0x101, 0x102, 0x103, KERNEL_STACK, 0x105, 0x106, 0x107]);
    expect(peek32(core, TSS + 0x20)).toBe(0x100 + LENGTH);
    expect(peek32(core, TSS + 0x24)).toBe(EFLAGS_CF | 2);
    expect([peek16(core, TSS + 0x4c), peek16(core, TSS + 0x50)]).toEqual([
      KERNEL_CODE,
      KERNEL_DATA,
    ]);
    expect([accessByte(core, TSS_SELECTOR), accessByte(core, FREE)]).toEqual([0x89, 0x8b]);

    expect(REGISTERS.map((_, i) => state.reg32(i))).toEqual(REGISTERS);
    expect(state.eip).toBe(0x4444);
    expect(readEflags(state)).toBe(EFLAGS_IF | EFLAGS_CF | 2);
    expect(selectors()).toEqual([
      KERNEL_DATA,
      KERNEL_CODE,
      KERNEL_DATA,
      KERNEL_DATA,
      0,
      USER_DATA,
      0,
      FREE,
    ]);
    expect(state.segmentBase(L.SEG_TR)).toBe(TSS_B);
    expect(state.segmentAccess(L.SEG_TR)).toBe(0x8b);
    expect(state.cr0 & CR0_TS).toBe(CR0_TS);
    expect(peek16(core, TSS_B)).toBe(0);
    expect(state.get(L.PENDING_DEBUG)).toBe(0);
  });

  test('and back again restores the first task', () => {
    jmpf_Ap(core, far(FREE));
    jmpf_Ap(core, far(TSS_SELECTOR));
    expect(core.state.eip).toBe(0x100 + LENGTH);
    expect(core.state.esp).toBe(KERNEL_STACK);
    expect(core.state.selector(L.SEG_TR)).toBe(TSS_SELECTOR);
    expect([accessByte(core, TSS_SELECTOR), accessByte(core, FREE)]).toEqual([0x8b, 0x89]);
  });

  test('to a task at CPL 3, with its LDT', () => {
    poke32(core, TSS_B + 0x4c, USER_CODE);
    poke32(core, TSS_B + 0x50, USER_DATA);
    poke32(core, TSS_B + 0x48, 0x0f);
    poke32(core, TSS_B + 0x54, USER_DATA);
    poke32(core, TSS_B + 0x60, LDT_SELECTOR);
    putSegment(core, 0x0c, 0x7000, 0xfff, 0x40f3);
    jmpf_Ap(core, far(FREE));
    expect(core.state.cpl).toBe(3);
    expect(core.state.segmentBase(L.SEG_ES)).toBe(0x7000);
    expect(core.state.selector(L.SEG_LDTR)).toBe(LDT_SELECTOR);
  });

  test('through a task gate', () => {
    putGate(core, 0x40, FREE, 0, 0xe5);
    enterUser(core);
    jmpf_Ap(core, far(0x43));
    expect(core.state.eip).toBe(0x4444);
    expect(core.state.cpl).toBe(0);
  });

  test('loads CR3 from a 32-bit TSS while paging is on', () => {
    for (const directory of [0x20000, 0x24000]) {
      poke32(core, directory, (directory + 0x1000) | 7);
      for (let page = 0; page < 256; page++) {
        poke32(core, directory + 0x1000 + page * 4, (page << 12) | 7);
      }
    }
    core.state.set(L.CR3, 0x20000);
    core.state.set(L.CR0, core.state.cr0 | CR0_PG);
    core.mmu.flush();
    poke32(core, TSS_B + 0x1c, 0x24000);
    jmpf_Ap(core, far(FREE));
    expect(core.state.get(L.CR3)).toBe(0x24000);
    expect(core.state.eip).toBe(0x4444);
  });

  test('leaves CR3 alone while paging is off', () => {
    poke32(core, TSS_B + 0x1c, 0x24000);
    jmpf_Ap(core, far(FREE));
    expect(core.state.get(L.CR3)).toBe(0);
  });

  test('reaches TSSs and descriptors as supervisor from CPL 3', () => {
    poke32(core, TSS_B + 0x1c, 0x10000);
    putSegment(core, KERNEL_CODE, 0, 0xfffff, 0xc09a);
    putGate(core, 0x40, FREE, 0, 0xe5);
    enablePaging(core, 3);
    enterUser(core);
    callf_Ap(core, far(0x43));
    expect(core.state.eip).toBe(0x4444);
    expect(accessByte(core, KERNEL_CODE)).toBe(0x9b);
  });

  test.each([
    ['old TSS', TSS],
    ['new TSS', TSS_B],
    ['GDT', GDT],
  ])('%s in a read-only page is #PF before the switch', (_name, at) => {
    enablePaging(core, 3);
    mapPage(core, at >> 12, 1);
    expectFault(core, VECTOR_PF, 3, () => callf_Ap(core, far(FREE)));
  });

  test('to virtual-8086 mode', () => {
    poke32(core, TSS_B + 0x24, EFLAGS_VM | 2);
    poke32(core, TSS_B + 0x4c, 0x2000);
    jmpf_Ap(core, far(FREE));
    expect(core.state.cpl).toBe(3);
    expect(core.state.segmentBase(L.SEG_CS)).toBe(0x20000);
    expect(core.state.get(L.MODE)).toBe(L.MODE_USER);
  });

  test('the T bit makes a debug trap wait, and local breakpoints are off', () => {
    core.state.set(L.DR7, 0x7ff);
    poke16(core, TSS_B + 0x64, 1);
    jmpf_Ap(core, far(FREE));
    expect(core.state.get(L.PENDING_DEBUG)).toBe(DR6_BT);
    expect(core.state.get(L.DR7)).toBe(0x6aa);
  });

  // SDM vol. 2, JMP and vol. 3A §7.3: met at CPL 0 before the switch.
  test.each<[string, () => void, number, number, number]>([
    ['a busy TSS', () => putSegment(core, FREE, TSS_B, 0x67, 0x8b), FREE, VECTOR_GP, FREE],
    ['an absent TSS', () => putSegment(core, FREE, TSS_B, 0x67, 0x09), FREE, VECTOR_NP, FREE],
    ['a short TSS', () => putSegment(core, FREE, TSS_B, 0x66, 0x89), FREE, VECTOR_TS, FREE],
    ['a TSS below the RPL', () => undefined, FREE | 1, VECTOR_GP, FREE],
    ['a TSS in the LDT', () => putSegment(core, 0x0c, TSS_B, 0x67, 0x89), 0x0c, VECTOR_GP, 0x0c],
    ['an absent task gate', () => putGate(core, 0x40, FREE, 0, 0x65), 0x40, VECTOR_NP, 0x40],
    ['a task gate below the RPL', () => putGate(core, 0x40, FREE, 0, 0x85), 0x43, VECTOR_GP, 0x40],
    ['a task gate to data', () => putGate(core, 0x40, 0x10, 0, 0xe5), 0x40, VECTOR_GP, 0x10],
    ['a task gate to the LDT', () => putGate(core, 0x40, 0x0c, 0, 0xe5), 0x40, VECTOR_GP, 0x0c],
  ])('%s faults before the switch', (_name, change, selector, vector, errorCode) => {
    change();
    expectFault(core, vector, errorCode, () => jmpf_Ap(core, far(selector)));
  });

  // SDM vol. 3A, table 7-1: met in the new task. Offsets are the TSS's.
  test.each<[string, number, number, number, number]>([
    ['LDT beyond the GDT', 0x60, 0x200, VECTOR_TS, 0x200],
    ['LDT that is none', 0x60, KERNEL_DATA, VECTOR_TS, KERNEL_DATA],
    ['CS null', 0x4c, 0, VECTOR_TS, 0],
    ['CS is data', 0x4c, KERNEL_DATA, VECTOR_TS, KERNEL_DATA],
    ['CS with RPL unlike DPL', 0x4c, KERNEL_CODE | 1, VECTOR_TS, KERNEL_CODE],
    ['CS absent', 0x4c, 0x40, VECTOR_NP, 0x40],
    ['SS null', 0x50, 0, VECTOR_TS, 0],
    ['SS with RPL unlike CPL', 0x50, USER_DATA, VECTOR_TS, USER_DATA & ~3],
    ['SS absent', 0x50, 0x48, VECTOR_SS, 0x48],
    ['DS execute-only', 0x54, 0x50, VECTOR_TS, 0x50],
    ['GS absent', 0x5c, 0x48, VECTOR_NP, 0x48],
    ['EIP beyond the limit', 0x4c, 0x58, VECTOR_GP, 0],
  ])('%s faults in the new task', (_name, at, value, vector, errorCode) => {
    putSegment(core, 0x40, 0, 0xfffff, 0xc01b);
    putSegment(core, 0x48, 0, 0xfffff, 0xc013);
    putSegment(core, 0x50, 0, 0xfffff, 0xc099);
    putSegment(core, 0x58, 0, 0xfff, 0x409b);
    poke32(core, TSS_B + at, value);
    expect(() => jmpf_Ap(core, far(FREE))).toThrow(Fault);
    expect([fault.vector, fault.errorCode]).toEqual([vector, errorCode]);
    expect(core.state.eip).toBe(0x4444);
    expect(core.state.esp).toBe(0x8800);
    expect(core.state.selector(L.SEG_TR)).toBe(FREE);
    expect(accessByte(core, FREE)).toBe(0x8b);
  });
});

describe('CALL to a TSS and the IRET back', () => {
  test('nest: back link, NT, both tasks busy; the return undoes it', () => {
    writeEflags(core.state, EFLAGS_CF, -1);
    callf_Ap(core, far(FREE));
    expect(peek16(core, TSS_B)).toBe(TSS_SELECTOR);
    expect(readEflags(core.state)).toBe(EFLAGS_IF | EFLAGS_CF | EFLAGS_NT | 2);
    expect([accessByte(core, TSS_SELECTOR), accessByte(core, FREE)]).toEqual([0x8b, 0x8b]);

    core.state.eip = 0x4450;
    iret(core, IRETD);
    expect(core.state.eip).toBe(0x100 + LENGTH);
    expect(core.state.esp).toBe(KERNEL_STACK);
    expect(readEflags(core.state)).toBe(EFLAGS_CF | 2);
    expect(core.state.selector(L.SEG_TR)).toBe(TSS_SELECTOR);
    expect([accessByte(core, TSS_SELECTOR), accessByte(core, FREE)]).toEqual([0x8b, 0x89]);
    // The nested task goes on after its IRET, no longer nested.
    expect(peek32(core, TSS_B + 0x20)).toBe(0x4451);
    expect(peek32(core, TSS_B + 0x24)).toBe(EFLAGS_IF | EFLAGS_CF | 2);
  });

  test('to itself is #GP: it is busy', () => {
    expectFault(core, VECTOR_GP, TSS_SELECTOR, () => callf_Ap(core, far(TSS_SELECTOR)));
  });
});

describe('16-bit TSS', () => {
  beforeEach(() => {
    putSegment(core, FREE, TSS_B, 0x2b, 0x81);
    poke16(core, TSS_B + 0x0e, 0x5555);
    poke16(core, TSS_B + 0x10, EFLAGS_CF | 2);
    REGISTERS.forEach((value, i) => poke16(core, TSS_B + 0x12 + 2 * i, value));
    [KERNEL_DATA, KERNEL_CODE, KERNEL_DATA, KERNEL_DATA].forEach((selector, i) =>
      poke16(core, TSS_B + 0x22 + 2 * i, selector),
    );
    poke16(core, TSS_B + 0x2a, LDT_SELECTOR);
  });

  test('loads words, makes FS and GS null and the upper halves of registers ones', () => {
    jmpf_Ap(core, far(FREE));
    const { state } = core;
    expect(state.eip).toBe(0x5555);
    expect(REGISTERS.map((_, i) => state.reg32(i) >>> 0)).toEqual(
      REGISTERS.map((value) => (value | 0xffff0000) >>> 0),
    );
    expect(readEflags(state)).toBe(EFLAGS_CF | 2);
    expect(selectors().slice(4)).toEqual([0, 0, LDT_SELECTOR, FREE]);
    expect(accessByte(core, FREE)).toBe(0x83);
  });

  test('saves words, and nothing beyond its 44 bytes', () => {
    setSegment(core, L.SEG_TR, FREE, TSS_B, 0x2b, 0x83);
    putSegment(core, FREE, TSS_B, 0x2b, 0x83);
    putSegment(core, TSS_SELECTOR, TSS, 0x67, 0x89);
    for (let at = 0x2c; at < 0x68; at += 4) poke32(core, TSS_B + at, 0);
    REGISTERS.forEach((value, i) => poke32(core, TSS + 0x28 + 4 * i, value));
    [KERNEL_DATA, KERNEL_CODE, KERNEL_DATA, KERNEL_DATA, 0, 0].forEach((selector, i) =>
      poke32(core, TSS + 0x48 + 4 * i, selector),
    );
    core.state.setReg32(0, 0x12345678);
    jmpf_Ap(core, far(TSS_SELECTOR));
    expect(peek16(core, TSS_B + 0x0e)).toBe(0x100 + LENGTH);
    expect(peek16(core, TSS_B + 0x12)).toBe(0x5678);
    expect(peek16(core, TSS_B + 0x28)).toBe(KERNEL_DATA);
    expect(peek16(core, TSS_B + 0x2a)).toBe(LDT_SELECTOR);
    for (let at = 0x2c; at < 0x68; at += 4) expect(peek32(core, TSS_B + at)).toBe(0);
  });
});
