import { beforeEach, describe, expect, test } from 'vitest';
import { CR0_PG, CR0_TS, DR7_GD } from '../../src/cpu/control-registers.js';
import type { Core } from '../../src/cpu/core.js';
import {
  EFLAGS_AC,
  EFLAGS_CF,
  EFLAGS_IF,
  EFLAGS_IOPL,
  EFLAGS_NT,
  EFLAGS_RF,
  EFLAGS_TF,
  EFLAGS_VM,
  readEflags,
  writeEflags,
} from '../../src/cpu/eflags.js';
import {
  fault,
  VECTOR_AC,
  VECTOR_BP,
  VECTOR_DB,
  VECTOR_DE,
  VECTOR_DF,
  VECTOR_GP,
  VECTOR_NMI,
  VECTOR_NP,
  VECTOR_OF,
  VECTOR_PF,
  VECTOR_SS,
  VECTOR_TS,
  VECTOR_UD,
} from '../../src/cpu/fault.js';
import { resetState } from '../../src/cpu/reset.js';
import { setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import { deliver, enterHandler } from '../../src/cpu/system/delivery.js';
import { int_Ib, int3, into } from '../../src/cpu/system/interrupt.js';
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
  mapPage,
  peek16,
  peek32,
  poke16,
  poke32,
  putGate,
  putSegment,
  putVector,
  stackDwords,
  TSS,
  TSS_B,
  TSS_SELECTOR,
  USER_CODE,
  USER_DATA,
  USER_STACK,
} from './support/bare-core.js';

const INTERRUPT32 = 0x8e;
const TRAP32 = 0x8f;
const INTERRUPT16 = 0x86;
const TASK = 0x85;
const HANDLER = 0x12340;
/** DPL 3 in the access byte of a gate. */
const OPEN = 0x60;

let core: Core;
beforeEach(() => {
  core = bareCore();
  // A handler for everything: trap gates would leave IF, so exceptions get interrupt gates.
  for (let vector = 0; vector < 0x30; vector++) {
    putVector(core, vector, KERNEL_CODE, HANDLER + vector, INTERRUPT32);
  }
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

describe('interrupt and trap gates', () => {
  test('at the same level: EFLAGS, CS and EIP are pushed on the present stack', () => {
    writeEflags(core.state, EFLAGS_IF | EFLAGS_CF, -1);
    deliver(core, 0x20, 0, 'interrupt', 0x100);
    expect(where()).toEqual({
      cs: KERNEL_CODE,
      eip: HANDLER + 0x20,
      cpl: 0,
      ss: KERNEL_DATA,
      esp: KERNEL_STACK - 12,
    });
    expect(stackDwords(core, 3)).toEqual([0x100, KERNEL_CODE, EFLAGS_IF | EFLAGS_CF | 2]);
  });

  test('from CPL 3: the TSS gives the stack, and SS:ESP are pushed first', () => {
    enterUser(core);
    writeEflags(core.state, EFLAGS_IF, -1);
    deliver(core, 0x20, 0, 'interrupt', 0x100);
    expect(where()).toEqual({
      cs: KERNEL_CODE,
      eip: HANDLER + 0x20,
      cpl: 0,
      ss: KERNEL_DATA,
      esp: KERNEL_STACK - 20,
    });
    const frame = [0x100, USER_CODE, EFLAGS_IF | 2, USER_STACK, USER_DATA];
    expect(stackDwords(core, 5)).toEqual(frame);
    expect(core.state.get(L.TLB_BASE)).toBe(L.TLB_SUPERVISOR);
    expect(core.state.get(L.MODE) & L.MODE_USER).toBe(0);
  });

  test('through an interrupt gate IF is cleared, through a trap gate it stays; TF, NT, RF go', () => {
    const flags = EFLAGS_IF | EFLAGS_TF | EFLAGS_NT | EFLAGS_AC | EFLAGS_IOPL | EFLAGS_CF;
    putVector(core, 0x31, KERNEL_CODE, HANDLER, TRAP32);
    writeEflags(core.state, flags, -1);
    deliver(core, 0x20, 0, 'interrupt', 0x100);
    expect(readEflags(core.state)).toBe(EFLAGS_AC | EFLAGS_IOPL | EFLAGS_CF | 2);
    writeEflags(core.state, flags, -1);
    deliver(core, 0x31, 0, 'interrupt', 0x100);
    expect(readEflags(core.state)).toBe(EFLAGS_IF | EFLAGS_AC | EFLAGS_IOPL | EFLAGS_CF | 2);
    expect(stackDwords(core, 3)[2]).toBe(flags | 2);
  });

  test.each([VECTOR_DF, VECTOR_TS, VECTOR_NP, VECTOR_SS, VECTOR_GP, VECTOR_AC])(
    'a fault with vector %i pushes its error code on top',
    (vector) => {
      putVector(core, vector, KERNEL_CODE, HANDLER, INTERRUPT32);
      deliver(core, vector, 0x1234, 'fault', 0x100);
      expect(stackDwords(core, 2)).toEqual([0x1234, 0x100]);
    },
  );

  test.each([VECTOR_DE, VECTOR_UD])('a fault with vector %i pushes none', (vector) => {
    deliver(core, vector, 0x1234, 'fault', 0x100);
    expect(stackDwords(core, 2)).toEqual([0x100, KERNEL_CODE]);
  });

  test('an interrupt that comes with the vector of a fault pushes no error code', () => {
    deliver(core, VECTOR_GP, 0, 'interrupt', 0x100);
    expect(core.state.esp).toBe(KERNEL_STACK - 12);
  });

  test('RF is set in the image of a fault, but for #DB, and not in that of a trap or interrupt', () => {
    const image = (vector: number, kind: 'fault' | 'trap' | 'interrupt') => {
      deliver(core, vector, 0, kind, 0x100);
      return stackDwords(core, 3)[2] & EFLAGS_RF;
    };
    expect(image(VECTOR_UD, 'fault')).toBe(EFLAGS_RF);
    expect(image(VECTOR_DB, 'fault')).toBe(0);
    expect(image(VECTOR_DB, 'trap')).toBe(0);
    expect(image(0x20, 'interrupt')).toBe(0);
    writeEflags(core.state, EFLAGS_RF, EFLAGS_RF);
    expect(image(0x20, 'interrupt')).toBe(EFLAGS_RF);
    expect(readEflags(core.state) & EFLAGS_RF).toBe(0);
  });

  test('#PF gives CR2 its address', () => {
    fault.cr2 = 0x5000;
    deliver(core, VECTOR_PF, 6, 'fault', 0x100);
    expect(core.state.get(L.CR2)).toBe(0x5000);
    expect(stackDwords(core, 1)).toEqual([6]);
    fault.cr2 = 0x6000;
    deliver(core, VECTOR_GP, 0, 'fault', 0x100);
    deliver(core, VECTOR_PF, 0, 'interrupt', 0x100);
    expect(core.state.get(L.CR2)).toBe(0x5000);
  });

  test('a 16-bit gate pushes words and has an offset of 16 bits', () => {
    putVector(core, 0x31, KERNEL_CODE, 0xabcd5678, INTERRUPT16);
    enterUser(core);
    deliver(core, 0x31, 0, 'interrupt', 0x12340100);
    expect(core.state.eip).toBe(0x5678);
    expect(core.state.esp).toBe(KERNEL_STACK - 10);
    const words = [0, 2, 4, 6, 8].map((at) => peek16(core, core.state.esp + at));
    expect(words).toEqual([0x0100, USER_CODE, 2, USER_STACK, USER_DATA]);
  });

  test('conforming code is entered at the CPL and on the stack of the interrupted', () => {
    putSegment(core, FREE, 0, 0xfffff, 0xc09f);
    putVector(core, 0x31, FREE, HANDLER, INTERRUPT32);
    enterUser(core);
    deliver(core, 0x31, 0, 'interrupt', 0x100);
    expect(where()).toEqual({
      cs: FREE | 3,
      eip: HANDLER,
      cpl: 3,
      ss: USER_DATA,
      esp: USER_STACK - 12,
    });
  });

  test('a 16-bit TSS gives SP and SS, and a 16-bit stack segment wraps at 64 KiB', () => {
    setSegment(core, L.SEG_TR, TSS_SELECTOR, TSS, 0x2b, 0x83);
    putSegment(core, FREE, 0x20000, 0xffff, 0x0093);
    poke16(core, TSS + 2, 8);
    poke16(core, TSS + 4, FREE);
    enterUser(core);
    deliver(core, 0x20, 0, 'interrupt', 0x100);
    expect(core.state.esp).toBe(8 + 0x10000 - 20);
    expect(core.state.selector(L.SEG_SS)).toBe(FREE);
    expect([peek32(core, 0x20004), peek32(core, 0x20000)]).toEqual([USER_DATA, USER_STACK]);
    expect(peek32(core, 0x2fff4)).toBe(0x100);
  });

  test('accessed bits of the handler’s segments are set', () => {
    putSegment(core, KERNEL_CODE, 0, 0xfffff, 0xc09a);
    putSegment(core, KERNEL_DATA, 0, 0xfffff, 0xc092);
    enterUser(core);
    deliver(core, 0x20, 0, 'interrupt', 0x100);
    expect([accessByte(core, KERNEL_CODE), accessByte(core, KERNEL_DATA)]).toEqual([0x9b, 0x93]);
    expect(core.state.segmentAccess(L.SEG_CS) & 1).toBe(1);
  });

  test('delivery ends HLT and the interrupt shadow; an NMI blocks NMIs', () => {
    const { state } = core;
    state.set(L.HALTED, 1);
    state.set(L.SHADOW, L.SHADOW_STI);
    deliver(core, 0x20, 0, 'interrupt', 0x100);
    expect([state.get(L.HALTED), state.get(L.SHADOW), state.get(L.NMI_BLOCKED)]).toEqual([0, 0, 0]);
    deliver(core, VECTOR_NMI, 0, 'nmi', 0x100);
    expect(state.get(L.NMI_BLOCKED)).toBe(1);
  });

  test('#DB clears DR7.GD', () => {
    core.state.set(L.DR7, 0x400 | DR7_GD);
    deliver(core, VECTOR_DB, 0, 'fault', 0x100);
    expect(core.state.get(L.DR7)).toBe(0x400);
  });

  test('tables and the inner stack are reached as supervisor, with paging on and CPL 3', () => {
    enablePaging(core, 3);
    enterUser(core);
    deliver(core, 0x20, 0, 'interrupt', 0x100);
    expect(core.state.cpl).toBe(0);
    expect(stackDwords(core, 1)).toEqual([0x100]);
  });
});

describe('faults on the way to a handler', () => {
  // What is broken, and the fault that an external event meets. SDM vol. 2, INT n, and vol. 3A §6.13.
  const rows: [string, () => void, number, number][] = [
    ['vector beyond the IDT', () => core.state.set(L.IDTR_LIMIT, 0x186), VECTOR_GP, 0x31 * 8 + 3],
    ['no gate', () => vector31(KERNEL_CODE, 0x8c), VECTOR_GP, 0x31 * 8 + 3],
    ['a code descriptor in the IDT', () => vector31(KERNEL_CODE, 0x9e), VECTOR_GP, 0x31 * 8 + 3],
    ['gate absent', () => vector31(KERNEL_CODE, 0x0e), VECTOR_NP, 0x31 * 8 + 3],
    ['null selector', () => vector31(0, 0x8e), VECTOR_GP, 1],
    ['selector beyond the GDT', () => vector31(0x200, 0x8e), VECTOR_GP, 0x201],
    ['handler is data', () => vector31(KERNEL_DATA, 0x8e), VECTOR_GP, KERNEL_DATA | 1],
    ['handler absent', () => segment31(0xc01b), VECTOR_NP, FREE | 1],
    ['offset beyond the handler’s limit', () => segment31(0x409b, 0xfff), VECTOR_GP, 1],
    ['TSS too short', () => tssLimit(8), VECTOR_TS, TSS_SELECTOR | 1],
    ['inner SS null', () => poke32(core, TSS + 8, 0), VECTOR_TS, 1],
    ['inner SS beyond the GDT', () => poke32(core, TSS + 8, 0x200), VECTOR_TS, 0x201],
    ['inner SS with another RPL', () => poke32(core, TSS + 8, 0x11), VECTOR_TS, 0x11],
    ['inner SS with another DPL', () => stack31(0xc0b3), VECTOR_TS, FREE | 1],
    ['inner SS read-only', () => stack31(0xc091), VECTOR_TS, FREE | 1],
    ['inner SS absent', () => stack31(0xc013), VECTOR_SS, FREE | 1],
    ['inner stack too small', () => stack31(0x4093, 0x8fff - 1), VECTOR_SS, FREE | 1],
  ];

  function vector31(selector: number, access: number): void {
    putVector(core, 0x31, selector, HANDLER, access);
  }
  function segment31(access: number, limit = 0xfffff): void {
    putSegment(core, FREE, 0, limit, access);
    vector31(FREE, INTERRUPT32);
  }
  function stack31(access: number, limit = 0xfffff): void {
    putSegment(core, FREE, 0, limit, access);
    poke32(core, TSS + 8, FREE);
  }
  function tssLimit(limit: number): void {
    setSegment(core, L.SEG_TR, TSS_SELECTOR, TSS, limit, 0x8b);
  }

  test.each(rows)('%s', (_name, breakIt, vector, errorCode) => {
    vector31(KERNEL_CODE, INTERRUPT32);
    enterUser(core);
    breakIt();
    expectFault(core, vector, errorCode, () =>
      enterHandler(core, 0x31, 0, 'interrupt', core.state.eip),
    );
  });

  test('the outer level can’t be entered', () => {
    putVector(core, 0x31, USER_CODE, HANDLER, INTERRUPT32);
    expectFault(core, VECTOR_GP, (USER_CODE & ~3) | 1, () =>
      enterHandler(core, 0x31, 0, 'interrupt', 0x100),
    );
  });

  test('no room on the present stack is #SS with the EXT bit alone', () => {
    setSegment(core, L.SEG_SS, KERNEL_DATA, 0, KERNEL_STACK - 9, 0x4097);
    expectFault(core, VECTOR_SS, 1, () => enterHandler(core, 0x20, 0, 'interrupt', 0x100));
  });

  test('INT n has no EXT bit, and is #GP with IDT and vector where the gate’s DPL is below the CPL', () => {
    enterUser(core);
    expectFault(core, VECTOR_GP, 0x20 * 8 + 2, () =>
      int_Ib(core, instruction({ immediate: 0x20 })),
    );
    deliver(core, 0x20, 0, 'interrupt', 0x100);
    expect(core.state.eip).toBe(HANDLER + 0x20);
  });

  test('a page fault on the inner stack leaves all as it was', () => {
    enablePaging(core, 3);
    // The frame of 20 bytes lies in two pages, of which the lower one is absent.
    mapPage(core, 8, 0);
    poke32(core, TSS + 4, 0x9008);
    enterUser(core);
    expectFault(core, VECTOR_PF, 2, () => enterHandler(core, 0x20, 0, 'interrupt', 0x100));
    expect(fault.cr2).toBe(0x8ff4);
  });

  test.each([
    ['handler', KERNEL_CODE, 0xc09a],
    ['inner stack', KERNEL_DATA, 0xc092],
  ])(
    'an accessed bit of the %s that can’t be set is #PF, with nothing pushed',
    (_name, selector, access) => {
      putSegment(core, selector, 0, 0xfffff, access);
      enablePaging(core, 3);
      mapPage(core, GDT >> 12, 1);
      enterUser(core);
      expectFault(core, VECTOR_PF, 3, () => enterHandler(core, 0x20, 0, 'interrupt', 0x100));
      expect(fault.cr2).toBe(GDT + selector + 5);
    },
  );
});

describe('exceptions inside deliveries', () => {
  function breakGate(vector: number): void {
    putVector(core, vector, KERNEL_CODE, HANDLER, INTERRUPT32 & ~0x80);
  }

  // SDM vol. 3A, table 6-5. A gate that is absent gives #NP, which is contributory.
  test('a benign exception that can’t be delivered gives way to the fault', () => {
    breakGate(VECTOR_UD);
    deliver(core, VECTOR_UD, 0, 'fault', core.state.eip);
    expect(core.state.eip).toBe(HANDLER + VECTOR_NP);
    expect(stackDwords(core, 2)).toEqual([VECTOR_UD * 8 + 3, 0x100]);
  });

  test.each([VECTOR_DE, VECTOR_TS, VECTOR_NP, VECTOR_SS, VECTOR_GP])(
    'a contributory fault on the way to vector %i is a double fault, with error code 0',
    (vector) => {
      breakGate(vector);
      deliver(core, vector, 0x1234, 'fault', core.state.eip);
      expect(core.state.eip).toBe(HANDLER + VECTOR_DF);
      expect(stackDwords(core, 3)).toEqual([0, 0x100, KERNEL_CODE]);
    },
  );

  test.each([VECTOR_DB, VECTOR_UD, 7, 16, VECTOR_AC])(
    'a contributory fault on the way to benign vector %i is delivered itself',
    (vector) => {
      breakGate(vector);
      deliver(core, vector, 0, 'fault', core.state.eip);
      expect(core.state.eip).toBe(HANDLER + VECTOR_NP);
    },
  );

  test('contributory after #PF is a double fault', () => {
    breakGate(VECTOR_PF);
    deliver(core, VECTOR_PF, 0, 'fault', core.state.eip);
    expect(core.state.eip).toBe(HANDLER + VECTOR_DF);
  });

  test('#PF after contributory is delivered as #PF', () => {
    // The gate of #PF begins a page; that of #GP lies in the one before, which is absent.
    core.state.set(L.IDTR_BASE, 0x30000 - VECTOR_PF * 8);
    putAt(0x30000, HANDLER + VECTOR_PF);
    enablePaging(core, 3);
    mapPage(core, 0x2f, 0);
    deliver(core, VECTOR_GP, 0, 'fault', core.state.eip);
    expect(core.state.eip).toBe(HANDLER + VECTOR_PF);
    expect(core.state.get(L.CR2)).toBe(0x30000 - 8);
  });

  function putAt(physical: number, offset: number): void {
    poke32(core, physical, (offset & 0xffff) | (KERNEL_CODE << 16));
    poke32(core, physical + 4, (offset & 0xffff0000) | (INTERRUPT32 << 8));
  }

  test('#PF on the way to #PF is a double fault, and that failing shuts down', () => {
    // No page table at all: each access of the IDT is a page fault.
    core.state.set(L.CR3, 0x20000);
    core.state.set(L.CR0, core.state.cr0 | CR0_PG);
    core.mmu.flush();
    const { state } = core;
    deliver(core, VECTOR_UD, 0, 'fault', state.eip);
    expect(state.get(L.SHUTDOWN)).toBe(1);
    expect(where().eip).toBe(0x100);
  });

  test('a fault that can’t be delivered by #DF either shuts the processor down', () => {
    breakGate(VECTOR_GP);
    breakGate(VECTOR_DF);
    deliver(core, VECTOR_GP, 0, 'fault', core.state.eip);
    expect(core.state.get(L.SHUTDOWN)).toBe(1);
  });

  test('an external interrupt counts as benign whatever its vector', () => {
    breakGate(VECTOR_GP);
    deliver(core, VECTOR_GP, 0, 'interrupt', core.state.eip);
    expect(core.state.eip).toBe(HANDLER + VECTOR_NP);
  });

  test('#AC on the way to the handler of #AC shuts down instead of repeating for ever', () => {
    putSegment(core, FREE, 0, 0xfffff, 0xc0ff);
    putVector(core, VECTOR_AC, FREE, HANDLER, INTERRUPT32);
    enterUser(core);
    core.state.esp = USER_STACK - 1;
    core.mmu.checksAlignment = true;
    deliver(core, VECTOR_AC, 0, 'fault', core.state.eip);
    expect(core.state.get(L.SHUTDOWN)).toBe(1);
  });

  test('#AC and #PF on the way to each other’s handlers shut down instead of taking turns for ever', () => {
    // The gate of #AC begins a page, which is absent; that of #PF lies in the one before.
    core.state.set(L.IDTR_BASE, 0x30000 - VECTOR_AC * 8);
    putSegment(core, FREE, 0, 0xfffff, 0xc0ff);
    poke32(core, 0x30000 - 24, FREE << 16);
    poke32(core, 0x30000 - 20, INTERRUPT32 << 8);
    enablePaging(core, 7);
    mapPage(core, 0x30, 0);
    enterUser(core);
    core.state.esp = USER_STACK - 1;
    core.mmu.checksAlignment = true;
    deliver(core, VECTOR_PF, 0, 'fault', core.state.eip);
    expect(core.state.get(L.SHUTDOWN)).toBe(1);
  });

  test('the fault returns to the interrupted instruction, not after an undeliverable INT3', () => {
    enterUser(core);
    expectFault(core, VECTOR_GP, VECTOR_BP * 8 + 2, () => int3(core, instruction({ length: 1 })));
  });
});

describe('INT3, INT n, INTO', () => {
  test('return to the next instruction', () => {
    putVector(core, VECTOR_BP, KERNEL_CODE, HANDLER, TRAP32 | OPEN);
    enterUser(core);
    int3(core, instruction({ length: 1 }));
    expect(stackDwords(core, 2)).toEqual([0x101, USER_CODE]);
    expect(stackDwords(core, 3)[2]).toBe(2);
  });

  test('INT n with the vector of a fault pushes no error code', () => {
    int_Ib(core, instruction({ immediate: VECTOR_GP }));
    expect(core.state.esp).toBe(KERNEL_STACK - 12);
  });

  test('INTO goes on where OF is clear, and interrupts where it is set', () => {
    into(core, instruction({ length: 1 }));
    expect(core.state.eip).toBe(0x101);
    writeEflags(core.state, 0x800, -1);
    into(core, instruction({ length: 1 }));
    expect(core.state.eip).toBe(HANDLER + VECTOR_OF);
    expect(stackDwords(core, 1)).toEqual([0x102]);
  });
});

describe('task gates', () => {
  beforeEach(() => {
    putSegment(core, FREE, TSS_B, 0x67, 0x89);
    putVector(core, VECTOR_DF, FREE, 0, TASK);
    for (const [at, value] of [
      [0x20, 0x4444],
      [0x24, 0],
      [0x38, 0x8000],
      [0x48, KERNEL_DATA],
      [0x4c, KERNEL_CODE],
      [0x50, KERNEL_DATA],
      [0x54, KERNEL_DATA],
    ]) {
      poke32(core, TSS_B + at, value);
    }
  });

  test('switch to a nested task, which finds the error code on its own stack', () => {
    enterUser(core);
    writeEflags(core.state, EFLAGS_CF, -1);
    deliver(core, VECTOR_DF, 0, 'fault', 0x100);
    expect(where()).toEqual({
      cs: KERNEL_CODE,
      eip: 0x4444,
      cpl: 0,
      ss: KERNEL_DATA,
      esp: 0x8000 - 4,
    });
    expect(stackDwords(core, 1)).toEqual([0]);
    expect(core.state.selector(L.SEG_TR)).toBe(FREE);
    expect(readEflags(core.state) & EFLAGS_NT).toBe(EFLAGS_NT);
    expect(peek16(core, TSS_B)).toBe(TSS_SELECTOR);
    expect([accessByte(core, TSS_SELECTOR), accessByte(core, FREE)]).toEqual([0x8b, 0x8b]);
    expect(core.state.cr0 & CR0_TS).toBe(CR0_TS);
    expect([peek32(core, TSS + 0x20), peek32(core, TSS + 0x24)]).toEqual([
      0x100,
      EFLAGS_CF | EFLAGS_RF | 2,
    ]);
  });

  test.each<[string, () => void, number, number]>([
    ['a busy TSS', () => putSegment(core, FREE, TSS_B, 0x67, 0x8b), VECTOR_GP, FREE | 1],
    ['an absent TSS', () => putSegment(core, FREE, TSS_B, 0x67, 0x09), VECTOR_NP, FREE | 1],
    ['a short TSS', () => putSegment(core, FREE, TSS_B, 0x66, 0x89), VECTOR_TS, FREE | 1],
    ['a TSS in the LDT', () => putVector(core, VECTOR_DF, 0x0c, 0, TASK), VECTOR_GP, 0x0d],
    ['no TSS', () => putVector(core, VECTOR_DF, KERNEL_DATA, 0, TASK), VECTOR_GP, KERNEL_DATA | 1],
  ])('%s faults before the switch', (_name, breakIt, vector, errorCode) => {
    breakIt();
    expectFault(core, vector, errorCode, () =>
      enterHandler(core, VECTOR_DF, 0, 'fault', core.state.eip),
    );
  });

  test('a bad segment of the new task is a fault in the new task', () => {
    poke32(core, TSS_B + 0x54, 0x200);
    deliver(core, VECTOR_DF, 0, 'interrupt', core.state.eip);
    expect(core.state.selector(L.SEG_TR)).toBe(FREE);
    expect(core.state.eip).toBe(HANDLER + VECTOR_TS);
    expect(stackDwords(core, 2)).toEqual([0x201, 0x4444]);
  });
});

describe('outside protected mode', () => {
  test('real mode goes through the vector table with a frame of three words', () => {
    resetState(core);
    core.state.esp = 0x1000;
    core.state.eip = 0x100;
    writeEflags(core.state, EFLAGS_IF | EFLAGS_TF, -1);
    poke16(core, 0x20 * 4, 0x5678);
    poke16(core, 0x20 * 4 + 2, 0x1200);
    deliver(core, 0x20, 0, 'interrupt', 0x100);
    expect(core.state.eip).toBe(0x5678);
    expect(core.state.segmentBase(L.SEG_CS)).toBe(0x12000);
    expect([0, 2, 4].map((at) => peek16(core, 0xffa + at))).toEqual([
      0x100,
      0xf000,
      EFLAGS_IF | EFLAGS_TF | 2,
    ]);
    expect(readEflags(core.state)).toBe(2);
  });

  test('virtual-8086 mode is left with all segments pushed and the data segments null', () => {
    enterUser(core);
    const { state } = core;
    writeEflags(state, EFLAGS_VM | EFLAGS_IF, -1);
    for (const segment of [L.SEG_ES, L.SEG_CS, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS] as const) {
      setSegment(core, segment, 0x100 + segment, 0x1000, 0xffff, 0xf3);
    }
    state.esp = 0x800;
    deliver(core, 0x20, 0, 'interrupt', 0x100);
    expect(where().cpl).toBe(0);
    expect(stackDwords(core, 9)).toEqual([
      0x100,
      0x101,
      EFLAGS_VM | EFLAGS_IF | 2,
      0x800,
      0x102,
      0x100,
      0x103,
      0x104,
      0x105,
    ]);
    expect(readEflags(state)).toBe(2);
    expect(state.segmentAccess(L.SEG_DS)).toBe(0);
    expect(state.get(L.MODE) & L.MODE_PROTECTED).toBe(L.MODE_PROTECTED);
  });

  test.each([
    ['conforming', 0xc09f],
    ['of level 1', 0xc0bb],
  ])('virtual-8086 mode is not left for code that is %s', (_name, access) => {
    putSegment(core, FREE, 0, 0xfffff, access);
    putVector(core, 0x31, FREE, HANDLER, INTERRUPT32);
    poke32(core, TSS + 12, KERNEL_STACK);
    poke32(core, TSS + 16, 0x41);
    putSegment(core, 0x40, 0, 0xfffff, 0xc0b3);
    enterUser(core);
    writeEflags(core.state, EFLAGS_VM, -1);
    expectFault(core, VECTOR_GP, FREE | 1, () => enterHandler(core, 0x31, 0, 'interrupt', 0x100));
  });

  test('INT n in virtual-8086 mode is #GP(0) unless IOPL is 3', () => {
    enterUser(core);
    putVector(core, 0x31, KERNEL_CODE, HANDLER, INTERRUPT32 | OPEN);
    writeEflags(core.state, EFLAGS_VM, -1);
    expectFault(core, VECTOR_GP, 0, () => int_Ib(core, instruction({ immediate: 0x31 })));
    writeEflags(core.state, EFLAGS_VM | EFLAGS_IOPL, -1);
    int_Ib(core, instruction({ immediate: 0x31 }));
    expect(core.state.eip).toBe(HANDLER);
  });
});

test('a gate in the GDT is no way for an interrupt', () => {
  putGate(core, FREE, KERNEL_CODE, HANDLER, 0xec);
  putVector(core, 0x31, FREE, HANDLER, INTERRUPT32);
  expectFault(core, VECTOR_GP, FREE | 1, () => enterHandler(core, 0x31, 0, 'interrupt', 0x100));
});
