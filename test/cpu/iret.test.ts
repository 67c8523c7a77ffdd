import { beforeEach, describe, expect, test } from 'vitest';
import type { Core } from '../../src/cpu/core.js';
import {
  EFLAGS_AC,
  EFLAGS_CF,
  EFLAGS_ID,
  EFLAGS_IF,
  EFLAGS_IOPL,
  EFLAGS_NT,
  EFLAGS_RF,
  EFLAGS_TF,
  EFLAGS_VIF,
  EFLAGS_VM,
  readEflags,
  writeEflags,
} from '../../src/cpu/eflags.js';
import { VECTOR_GP, VECTOR_NP, VECTOR_PF, VECTOR_SS, VECTOR_TS } from '../../src/cpu/fault.js';
import { setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import { deliver } from '../../src/cpu/system/delivery.js';
import { iret } from '../../src/cpu/system/iret.js';
import {
  bareCore,
  enablePaging,
  enterKernel,
  enterUser,
  expectFault,
  FREE,
  GDT,
  instruction,
  KERNEL_CODE,
  KERNEL_DATA,
  KERNEL_STACK,
  mapPage,
  poke16,
  poke32,
  putSegment,
  putVector,
  stackUp,
  TSS,
  USER_CODE,
  USER_DATA,
  USER_STACK,
} from './support/bare-core.js';

const TARGET = 0x123456;
const IRETD = instruction({ length: 1, opcode: 0xcf });
const IRET16 = instruction({ length: 2, opcode: 0xcf, operandSize: 2 });

let core: Core;
beforeEach(() => {
  core = bareCore();
});

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

/** The frame of an interrupt that came from CPL 3. */
function stackUserFrame(eflags = 2, ss = USER_DATA, cs = USER_CODE): void {
  stackUp(core, TARGET, cs, eflags, USER_STACK, ss);
}

describe('IRET in protected mode', () => {
  test('to the same level takes three dwords off the stack', () => {
    stackUp(core, TARGET, KERNEL_CODE, EFLAGS_CF | 2);
    iret(core, IRETD);
    expect(where()).toEqual({
      cs: KERNEL_CODE,
      eip: TARGET,
      cpl: 0,
      ss: KERNEL_DATA,
      esp: KERNEL_STACK,
    });
    expect(readEflags(core.state)).toBe(EFLAGS_CF | 2);
  });

  test('to CPL 3 loads SS:ESP too, and undoes an interrupt exactly', () => {
    putVector(core, 0x20, KERNEL_CODE, TARGET, 0x8e);
    enterUser(core);
    writeEflags(core.state, EFLAGS_IF | EFLAGS_CF, -1);
    core.state.set(L.BUDGET, 0);
    const before = core.state.u8.slice(0, L.ARCHITECTURAL_END);
    deliver(core, 0x20, 0, 'interrupt', core.state.eip);
    expect(core.state.cpl).toBe(0);
    iret(core, IRETD);
    // The lazy flags may say the same in other words.
    expect(readEflags(core.state)).toBe(EFLAGS_IF | EFLAGS_CF | 2);
    const after = core.state.u8.slice(0, L.ARCHITECTURAL_END);
    for (const word of [L.FLAG_RESULT, L.FLAG_AUX, L.BUDGET]) {
      before.fill(0, word, word + 4);
      after.fill(0, word, word + 4);
    }
    expect(Buffer.compare(before, after)).toBe(0);
  });

  test('outward, data segments of the inner level become null, others stay', () => {
    stackUserFrame();
    setSegment(core, L.SEG_ES, USER_DATA, 0, -1, 0xc0f3);
    setSegment(core, L.SEG_FS, KERNEL_CODE, 0, -1, 0xc09f);
    setSegment(core, L.SEG_GS, KERNEL_CODE, 0, -1, 0xc09b);
    iret(core, IRETD);
    const { state } = core;
    expect(state.selector(L.SEG_ES)).toBe(USER_DATA);
    expect(state.selector(L.SEG_FS)).toBe(KERNEL_CODE);
    expect([state.selector(L.SEG_DS), state.segmentAccess(L.SEG_DS)]).toEqual([0, 0]);
    expect([state.selector(L.SEG_GS), state.segmentAccess(L.SEG_GS)]).toEqual([0, 0]);
    expect(state.get(L.MODE) & L.MODE_USER).toBe(L.MODE_USER);
  });

  test('onto a 16-bit stack only SP is loaded: the kernel’s upper half of ESP shows through', () => {
    putSegment(core, FREE, 0, 0xffff, 0x00f3);
    core.state.esp = 0x78000;
    stackUp(core, TARGET, USER_CODE, 2, 0x12345678, FREE | 3);
    iret(core, IRETD);
    expect(core.state.esp).toBe(0x75678);
    expect(core.state.get(L.MODE) & L.MODE_STACK32).toBe(0);
  });

  test('from a 16-bit stack only SP moves', () => {
    setSegment(core, L.SEG_SS, KERNEL_DATA, 0, 0xffff, 0x0093);
    core.state.esp = 0xabcd8000 | 0;
    [TARGET, KERNEL_CODE, 2].forEach((dword, i) => poke32(core, 0x8000 + 4 * i, dword));
    iret(core, IRETD);
    expect(core.state.eip).toBe(TARGET);
    expect(core.state.esp >>> 0).toBe(0xabcd800c);
  });

  test('with 16-bit operands pops words, and keeps the upper half of EFLAGS', () => {
    writeEflags(core.state, EFLAGS_AC, -1);
    core.state.esp -= 10;
    [0x5678, USER_CODE, EFLAGS_CF, 0x4000, USER_DATA].forEach((word, i) =>
      poke16(core, core.state.esp + 2 * i, word),
    );
    iret(core, IRET16);
    expect(where()).toEqual({ cs: USER_CODE, eip: 0x5678, cpl: 3, ss: USER_DATA, esp: 0x4000 });
    expect(readEflags(core.state)).toBe(EFLAGS_AC | EFLAGS_CF | 2);
  });

  // The frame EIP, CS, EFLAGS, ESP, SS, met at CPL 0, and the fault. SDM vol. 2, IRET.
  const rows: [string, number[], number, number][] = [
    ['CS null', [TARGET, 3, 2], VECTOR_GP, 0],
    ['CS beyond the GDT', [TARGET, 0x200, 2], VECTOR_GP, 0x200],
    ['CS is data', [TARGET, KERNEL_DATA, 2], VECTOR_GP, KERNEL_DATA],
    ['nonconforming, RPL unlike DPL', [TARGET, USER_CODE & ~1, 2], VECTOR_GP, USER_CODE & ~3],
    ['conforming, DPL beyond RPL', [TARGET, 0x50, 2], VECTOR_GP, 0x50],
    ['CS absent', [TARGET, FREE | 3, 2], VECTOR_NP, FREE],
    ['EIP beyond the limit', [0x1000, 0x58, 2], VECTOR_GP, 0],
    ['SS null', [TARGET, USER_CODE, 2, 0, 3], VECTOR_GP, 0],
    ['SS beyond the GDT', [TARGET, USER_CODE, 2, 0, 0x203], VECTOR_GP, 0x200],
    ['SS with another RPL', [TARGET, USER_CODE, 2, 0, USER_DATA & ~3], VECTOR_GP, USER_DATA & ~3],
    ['SS with another DPL', [TARGET, USER_CODE, 2, 0, KERNEL_DATA | 3], VECTOR_GP, KERNEL_DATA],
    ['SS absent', [TARGET, USER_CODE, 2, 0, 0x43], VECTOR_SS, 0x40],
    ['EIP beyond the outer limit', [0x1000, 0x4b, 2, 0, USER_DATA], VECTOR_GP, 0],
  ];
  test.each(rows)('%s', (_name, frame, vector, errorCode) => {
    putSegment(core, FREE, 0, 0xfffff, 0xc07b);
    putSegment(core, 0x40, 0, 0xfffff, 0xc073);
    putSegment(core, 0x48, 0, 0xfff, 0x40fb);
    putSegment(core, 0x50, 0, 0xfffff, 0xc0ff);
    putSegment(core, 0x58, 0, 0xfff, 0x409b);
    stackUp(core, ...frame);
    expectFault(core, vector, errorCode, () => iret(core, IRETD));
  });

  test('to an inner level is #GP', () => {
    enterUser(core);
    stackUp(core, TARGET, KERNEL_CODE, 2);
    expectFault(core, VECTOR_GP, KERNEL_CODE, () => iret(core, IRETD));
  });

  test('a frame beyond the stack’s limit is #SS(0), also when only SS:ESP lies beyond', () => {
    stackUserFrame();
    setSegment(core, L.SEG_SS, KERNEL_DATA, 0, KERNEL_STACK - 2, 0x4093);
    expectFault(core, VECTOR_SS, 0, () => iret(core, IRETD));
  });

  test('a frame that runs into an absent page is #PF and changes nothing', () => {
    enablePaging(core, 3);
    mapPage(core, 9, 0);
    core.state.esp = 0x8ff4;
    [TARGET, USER_CODE, 2].forEach((dword, i) => poke32(core, 0x8ff4 + 4 * i, dword));
    expectFault(core, VECTOR_PF, 0, () => iret(core, IRETD));
  });
});

test.each([
  ['code', USER_CODE, 0xc0fa],
  ['stack', USER_DATA, 0xc0f2],
])(
  'an accessed bit of the outer %s segment that can’t be set is #PF',
  (_name, selector, access) => {
    putSegment(core, selector, 0, 0xfffff, access);
    stackUserFrame();
    enablePaging(core, 3);
    mapPage(core, GDT >> 12, 1);
    expectFault(core, VECTOR_PF, 3, () => iret(core, IRETD));
  },
);

describe('flags that IRET may load', () => {
  const all =
    EFLAGS_CF | EFLAGS_TF | EFLAGS_IF | EFLAGS_IOPL | EFLAGS_RF | EFLAGS_AC | EFLAGS_ID | 2;
  const open = EFLAGS_CF | EFLAGS_TF | EFLAGS_RF | EFLAGS_AC | EFLAGS_ID | 2;

  test('all that exist at CPL 0, though the return is to CPL 3; there is no VIF', () => {
    stackUserFrame(all | EFLAGS_VIF);
    iret(core, IRETD);
    expect(readEflags(core.state)).toBe(all);
  });

  test('at CPL 3 neither IF nor IOPL, with no fault', () => {
    enterUser(core);
    stackUp(core, TARGET, USER_CODE, all);
    iret(core, IRETD);
    expect(readEflags(core.state)).toBe(open);
  });

  test('at CPL 3 with IOPL 3 IF, but not IOPL', () => {
    enterUser(core);
    writeEflags(core.state, EFLAGS_IOPL, -1);
    stackUp(core, TARGET, USER_CODE, open | EFLAGS_IF);
    iret(core, IRETD);
    expect(readEflags(core.state)).toBe(open | EFLAGS_IF | EFLAGS_IOPL);
  });

  test('VM at CPL 3 is ignored', () => {
    enterUser(core);
    stackUp(core, TARGET, USER_CODE, EFLAGS_VM | 2);
    iret(core, IRETD);
    expect(readEflags(core.state)).toBe(2);
  });

  test('AC switches alignment checks on when CR0.AM allows them', () => {
    core.state.set(L.CR0, core.state.cr0 | (1 << 18));
    stackUserFrame(EFLAGS_AC | 2);
    iret(core, IRETD);
    expect(core.mmu.checksAlignment).toBe(true);
  });

  test('the run loop is called when IF lets interrupts in, and IRET casts no shadow', () => {
    core.state.set(L.BUDGET, 1000);
    stackUp(core, TARGET, KERNEL_CODE, EFLAGS_IF | 2);
    core.state.set(L.INTR, 1);
    iret(core, IRETD);
    expect(core.state.get(L.BUDGET)).toBe(0);
    expect(core.state.get(L.SHADOW)).toBe(L.SHADOW_NONE);
  });
});

describe('IRET and NMI', () => {
  test('a return lifts the blocking of NMIs', () => {
    core.state.set(L.NMI_BLOCKED, 1);
    stackUp(core, TARGET, KERNEL_CODE, 2);
    iret(core, IRETD);
    expect(core.state.get(L.NMI_BLOCKED)).toBe(0);
  });

  test('so does one that faults', () => {
    core.state.set(L.NMI_BLOCKED, 1);
    stackUp(core, TARGET, 0, 2);
    expect(() => iret(core, IRETD)).toThrow();
    expect(core.state.get(L.NMI_BLOCKED)).toBe(0);
    expect(core.state.eip).toBe(0x100);
  });
});

describe('IRET to virtual-8086 mode', () => {
  const frame = [0x1234, 0x2000, EFLAGS_VM | EFLAGS_IF | 2, 0x800, 0x3000, 0x11, 0x22, 0x33, 0x44];

  test('loads nine dwords, with segments that are paragraph numbers', () => {
    stackUp(core, ...frame);
    iret(core, IRETD);
    const { state } = core;
    expect(where()).toEqual({ cs: 0x2000, eip: 0x1234, cpl: 3, ss: 0x3000, esp: 0x800 });
    expect(state.segmentBase(L.SEG_CS)).toBe(0x20000);
    expect([L.SEG_ES, L.SEG_DS, L.SEG_FS, L.SEG_GS].map((s) => state.selector(s as 0))).toEqual([
      0x11, 0x22, 0x33, 0x44,
    ]);
    expect([state.segmentLimit(L.SEG_DS), state.segmentAccess(L.SEG_DS)]).toEqual([0xffff, 0xf3]);
    expect(readEflags(state)).toBe(EFLAGS_VM | EFLAGS_IF | 2);
    expect(state.get(L.MODE)).toBe(L.MODE_USER);
  });

  test('an EIP beyond 64 KiB is #GP(0)', () => {
    stackUp(core, 0x10000, ...frame.slice(1));
    expectFault(core, VECTOR_GP, 0, () => iret(core, IRETD));
  });

  test('within it IRET is #GP(0) unless IOPL is 3', () => {
    stackUp(core, ...frame);
    iret(core, IRETD);
    expectFault(core, VECTOR_GP, 0, () => iret(core, IRET16));
    writeEflags(core.state, EFLAGS_IOPL, EFLAGS_IOPL);
    [0x5678, 0x1111, EFLAGS_CF].forEach((word, i) => poke16(core, 0x30800 + 2 * i, word));
    iret(core, IRET16);
    expect(where()).toMatchObject({ cs: 0x1111, eip: 0x5678, esp: 0x806 });
    expect(readEflags(core.state)).toBe(EFLAGS_VM | EFLAGS_IOPL | EFLAGS_CF | 2);
  });
});

describe('IRET with NT set', () => {
  test.each<[string, number, number, number]>([
    ['a back link to no TSS', KERNEL_DATA, VECTOR_TS, KERNEL_DATA],
    ['a back link beyond the GDT', 0x200, VECTOR_TS, 0x200],
    ['a back link into the LDT', 0x0c, VECTOR_TS, 0x0c],
    ['a back link to a task that is not busy', FREE, VECTOR_TS, FREE],
    ['a back link to an absent TSS', 0x40, VECTOR_NP, 0x40],
  ])('%s', (_name, link, vector, errorCode) => {
    putSegment(core, FREE, 0x5000, 0x67, 0x89);
    putSegment(core, 0x40, 0x5000, 0x67, 0x0b);
    enterKernel(core);
    writeEflags(core.state, EFLAGS_NT, -1);
    poke16(core, TSS, link);
    expectFault(core, vector, errorCode, () => iret(core, IRETD));
  });
});
