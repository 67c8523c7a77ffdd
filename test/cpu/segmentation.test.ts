import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Core } from '../../src/cpu/core.js';
import { VECTOR_GP, VECTOR_NP, VECTOR_SS } from '../../src/cpu/fault.js';
import { resetState } from '../../src/cpu/reset.js';
import {
  checkCodeLimit,
  codeLinear,
  isWithinLimit,
  linearForRead,
  linearForWrite,
  loadDataSegment,
  readSegmented,
  setCpl,
  setNullSegment,
  setSegment,
  updateMode,
  writeSegmented,
} from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import { pop, push } from '../../src/cpu/system/stack.js';
import {
  accessByte,
  bareCore,
  enterUser,
  expectFault,
  FREE,
  KERNEL_CODE,
  KERNEL_DATA,
  peek32,
  putSegment,
  TSS_SELECTOR,
  USER_CODE,
  USER_DATA,
} from './support/bare-core.js';

let core: Core;
beforeEach(() => {
  core = bareCore();
});

describe('loading a data segment', () => {
  test('takes base, limit with granularity, and rights from the descriptor, and sets its accessed bit', () => {
    putSegment(core, FREE, 0x12345678, 0x54321, 0xc092);
    loadDataSegment(core, L.SEG_DS, FREE);
    const { state } = core;
    expect(state.selector(L.SEG_DS)).toBe(FREE);
    expect(state.segmentBase(L.SEG_DS)).toBe(0x12345678);
    expect(state.segmentLimit(L.SEG_DS)).toBe(0x54321fff);
    expect(state.segmentAccess(L.SEG_DS)).toBe(0xc093);
    expect(accessByte(core, FREE)).toBe(0x93);
  });

  test('without granularity the limit counts bytes', () => {
    putSegment(core, FREE, 0, 0x54321, 0x4093);
    loadDataSegment(core, L.SEG_ES, FREE);
    expect(core.state.segmentLimit(L.SEG_ES)).toBe(0x54321);
  });

  test('finds a selector with TI set in the LDT', () => {
    putSegment(core, 0x0c, 0x777000, 0xff, 0x4093);
    loadDataSegment(core, L.SEG_FS, 0x0c);
    expect(core.state.segmentBase(L.SEG_FS)).toBe(0x777000);
  });

  test.each([0, 1, 2, 3])(
    'a null selector %i makes DS unusable, which only its use shows',
    (rpl) => {
      loadDataSegment(core, L.SEG_DS, rpl);
      expect(core.state.selector(L.SEG_DS)).toBe(rpl);
      expectFault(core, VECTOR_GP, 0, () => readSegmented(core, L.SEG_DS, 0, 1));
      expectFault(core, VECTOR_GP, 0, () => writeSegmented(core, L.SEG_DS, 0, 1, 0));
    },
  );

  // Selector, access rights of its descriptor, CPL, and the fault or null. SDM vol. 2, MOV.
  const rows: [string, 'ds' | 'ss', number, number, number, [number, number] | null][] = [
    ['beyond the GDT', 'ds', 0x200, 0, 0, [VECTOR_GP, 0x200]],
    ['beyond the LDT, RPL dropped', 'ds', 0x107, 0, 0, [VECTOR_GP, 0x104]],
    ['a system segment', 'ds', TSS_SELECTOR, 0x8b, 0, [VECTOR_GP, TSS_SELECTOR]],
    ['execute-only code', 'ds', FREE, 0xc099, 0, [VECTOR_GP, FREE]],
    ['readable code', 'ds', FREE, 0xc09b, 0, null],
    ['CPL beyond DPL', 'ds', FREE | 3, 0xc093, 3, [VECTOR_GP, FREE]],
    ['RPL beyond DPL', 'ds', FREE | 3, 0xc093, 0, [VECTOR_GP, FREE]],
    ['CPL beyond DPL with RPL 0', 'ds', FREE, 0xc093, 3, [VECTOR_GP, FREE]],
    ['outer data', 'ds', FREE, 0xc0f3, 0, null],
    ['conforming readable code of an inner level', 'ds', FREE | 3, 0xc09f, 3, null],
    ['nonconforming readable code of an inner level', 'ds', FREE | 3, 0xc09b, 3, [VECTOR_GP, FREE]],
    ['absent', 'ds', FREE, 0xc013, 0, [VECTOR_NP, FREE]],
    ['absent, and privilege comes first', 'ds', FREE, 0xc013, 3, [VECTOR_GP, FREE]],
    ['SS null', 'ss', 0, 0, 0, [VECTOR_GP, 0]],
    ['SS null at CPL 3', 'ss', 3, 0, 3, [VECTOR_GP, 0]],
    ['SS with RPL unlike CPL', 'ss', FREE | 1, 0xc093, 0, [VECTOR_GP, FREE]],
    ['SS with DPL unlike CPL', 'ss', FREE, 0xc0b3, 0, [VECTOR_GP, FREE]],
    ['SS read-only', 'ss', FREE, 0xc091, 0, [VECTOR_GP, FREE]],
    ['SS of code', 'ss', FREE, 0xc09b, 0, [VECTOR_GP, FREE]],
    ['SS absent', 'ss', FREE, 0xc013, 0, [VECTOR_SS, FREE]],
    ['SS good at CPL 3', 'ss', FREE | 3, 0xc0f3, 3, null],
  ];
  test.each(rows)('%s', (_name, register, selector, access, cpl, expected) => {
    if (access !== 0) putSegment(core, selector, 0, 0xfffff, access);
    setCpl(core, cpl);
    const load = () => loadDataSegment(core, register === 'ss' ? L.SEG_SS : L.SEG_DS, selector);
    if (expected === null) expect(load).not.toThrow();
    else expectFault(core, expected[0], expected[1], load);
  });

  test.each([
    ['GDT', FREE, L.GDTR_LIMIT],
    ['LDT', 0x0c, L.SEGMENTS + L.SEG_LDTR * L.SEGMENT_BYTES + L.SEGMENT_LIMIT],
  ])('the last byte of a descriptor must lie inside the %s', (_name, selector, limitWord) => {
    putSegment(core, selector, 0, 0xff, 0x4093);
    const last = (selector & ~7) + 7;
    core.state.set(limitWord, last - 1);
    expectFault(core, VECTOR_GP, selector, () => loadDataSegment(core, L.SEG_DS, selector));
    core.state.set(limitWord, last);
    loadDataSegment(core, L.SEG_DS, selector);
    expect(core.state.selector(L.SEG_DS)).toBe(selector);
  });

  test('a null LDTR has no descriptors at all', () => {
    putSegment(core, 0x0c, 0, 0xff, 0x4093);
    setNullSegment(core, L.SEG_LDTR);
    expectFault(core, VECTOR_GP, 0x0c, () => loadDataSegment(core, L.SEG_DS, 0x0c));
  });

  test('SS decides by its B bit how wide the stack pointer is', () => {
    putSegment(core, FREE, 0x20000, 0xffff, 0x0093);
    loadDataSegment(core, L.SEG_SS, FREE);
    expect(core.state.get(L.MODE) & L.MODE_STACK32).toBe(0);
    core.state.esp = 0xabcd0000 | 0;
    push(core, 4, 0x11223344);
    expect(core.state.esp >>> 0).toBe(0xabcdfffc);
    expect(peek32(core, 0x2fffc)).toBe(0x11223344);
    expect(pop(core, 4)).toBe(0x11223344);
    expect(core.state.esp >>> 0).toBe(0xabcd0000);
  });

  test('in real mode a selector is a paragraph number, and the limit stays', () => {
    core = bareCore();
    resetState(core);
    loadDataSegment(core, L.SEG_DS, 0x1234);
    expect(core.state.segmentBase(L.SEG_DS)).toBe(0x12340);
    expect(core.state.segmentLimit(L.SEG_DS)).toBe(0xffff);
    expect(linearForWrite(core, L.SEG_DS, 0xfffc, 4)).toBe(0x2233c);
    expectFault(core, VECTOR_GP, 0, () => linearForWrite(core, L.SEG_DS, 0xfffd, 4));
  });
});

describe('limits', () => {
  // Access rights, limit in bytes, offset, size, allowed.
  const rows: [string, number, number, number, number, boolean][] = [
    ['last byte', 0x4093, 0xfff, 0xfff, 1, true],
    ['one byte over', 0x4093, 0xfff, 0xffd, 4, false],
    ['ends at the limit', 0x4093, 0xfff, 0xffc, 4, true],
    ['limit 0 holds one byte', 0x4093, 0, 0, 1, true],
    ['limit 0 holds no word', 0x4093, 0, 0, 2, false],
    ['flat, at the very top', 0xc093, -1, -4, 4, true],
    ['flat, over the top', 0xc093, -1, -3, 4, false],
    ['expand-down, at its limit', 0x4097, 0xfff, 0xfff, 1, false],
    ['expand-down, just above its limit', 0x4097, 0xfff, 0x1000, 4, true],
    ['expand-down with B, at the very top', 0x4097, 0xfff, -4, 4, true],
    ['expand-down with B, over the top', 0x4097, 0xfff, -3, 4, false],
    ['expand-down without B, at FFFFh', 0x0097, 0xfff, 0xffff, 1, true],
    ['expand-down without B, over FFFFh', 0x0097, 0xfff, 0xfffe, 4, false],
    ['expand-down with the largest limit is empty', 0xc097, -1, 0, 1, false],
  ];
  test.each(rows)('%s', (_name, access, limit, offset, size, isAllowed) => {
    setSegment(core, L.SEG_DS, FREE, 0x100, limit, access);
    setSegment(core, L.SEG_SS, FREE, 0x100, limit, access);
    for (const [segment, vector] of [
      [L.SEG_DS, VECTOR_GP],
      [L.SEG_SS, VECTOR_SS],
    ] as const) {
      const linear = (offset + 0x100) | 0;
      if (isAllowed) {
        expect(linearForRead(core, segment, offset, size)).toBe(linear);
        expect(linearForWrite(core, segment, offset, size)).toBe(linear);
      } else {
        expectFault(core, vector, 0, () => linearForRead(core, segment, offset, size));
        expectFault(core, vector, 0, () => linearForWrite(core, segment, offset, size));
      }
    }
  });

  test('read-only data and code can’t be written, execute-only code can’t be read', () => {
    setSegment(core, L.SEG_DS, FREE, 0, -1, 0xc091);
    expect(linearForRead(core, L.SEG_DS, 0, 4)).toBe(0);
    expectFault(core, VECTOR_GP, 0, () => linearForWrite(core, L.SEG_DS, 0, 4));
    setSegment(core, L.SEG_DS, FREE, 0, -1, 0xc09b);
    expect(linearForRead(core, L.SEG_DS, 0, 4)).toBe(0);
    expectFault(core, VECTOR_GP, 0, () => linearForWrite(core, L.SEG_DS, 0, 4));
    setSegment(core, L.SEG_DS, FREE, 0, -1, 0xc099);
    expectFault(core, VECTOR_GP, 0, () => linearForRead(core, L.SEG_DS, 0, 4));
  });

  test('the fast limits never allow what the full check forbids, and miss little', () => {
    const access = fc.constantFrom(
      0,
      0x4091,
      0x4093,
      0x4095,
      0x4097,
      0x4099,
      0x409b,
      0x409f,
      0x4013,
    );
    const near = fc.oneof(fc.nat(8), fc.integer({ min: -8, max: 8 }), fc.integer());
    fc.assert(
      fc.property(access, near, near, (rights, limit, delta) => {
        setSegment(core, L.SEG_DS, FREE, 0, limit, rights);
        const at = L.SEGMENTS + L.SEG_DS * L.SEGMENT_BYTES;
        const offset = (limit + delta) | 0;
        const isRoomy = isWithinLimit(limit, rights, offset, 4);
        const isExpandDown = (rights & 0xc) === 4;
        for (const [below, kind] of [
          [L.SEGMENT_READ_BELOW, (rights & 0xa) !== 8],
          [L.SEGMENT_WRITE_BELOW, (rights & 0xa) === 2],
        ] as const) {
          const isFast = offset >>> 0 < core.state.get(at + below) >>> 0;
          expect(isFast).toBe(isRoomy && kind && !isExpandDown);
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  test('a branch target may be the last byte of CS and no byte further', () => {
    setSegment(core, L.SEG_CS, KERNEL_CODE, 0x1000, 0xfff, 0x409b);
    expect(codeLinear(core, 0xfff)).toBe(0x1fff);
    expectFault(core, VECTOR_GP, 0, () => codeLinear(core, 0x1000));
    expectFault(core, VECTOR_GP, 0, () => checkCodeLimit(core, -1));
  });
});

describe('derived state', () => {
  test('MODE follows CS.D, SS.B, CPL and CR0.PE', () => {
    const all = L.MODE_CODE32 | L.MODE_STACK32 | L.MODE_PROTECTED;
    expect(core.state.get(L.MODE) & ~L.MODE_FLAT).toBe(all);
    enterUser(core);
    expect(core.state.get(L.MODE) & ~L.MODE_FLAT).toBe(all | L.MODE_USER);
    setSegment(core, L.SEG_CS, USER_CODE, 0, 0xffff, 0x00fb);
    expect(core.state.get(L.MODE) & ~L.MODE_FLAT).toBe(
      L.MODE_STACK32 | L.MODE_PROTECTED | L.MODE_USER,
    );
    setSegment(core, L.SEG_SS, USER_DATA, 0, 0xffff, 0x00f3);
    expect(core.state.get(L.MODE) & ~L.MODE_FLAT).toBe(L.MODE_PROTECTED | L.MODE_USER);
    core.state.set(L.CR0, 0x10);
    updateMode(core);
    expect(core.state.get(L.MODE) & ~L.MODE_FLAT).toBe(L.MODE_USER);
  });

  test('the CPL chooses the TLB', () => {
    expect(core.state.get(L.TLB_BASE)).toBe(L.TLB_SUPERVISOR);
    setCpl(core, 3);
    expect(core.state.get(L.TLB_BASE)).toBe(L.TLB_USER);
    setCpl(core, 1);
    expect(core.state.get(L.TLB_BASE)).toBe(L.TLB_SUPERVISOR);
  });

  test('the engine hears when code moves, and only then', () => {
    let moves = 0;
    core.onCodeMapChange = () => {
      moves += 1;
    };
    setSegment(core, L.SEG_CS, USER_CODE, 0, -1, 0xc0fb);
    setSegment(core, L.SEG_DS, KERNEL_DATA, 0x1000, 0xfff, 0x4093);
    expect(moves).toBe(0);
    setSegment(core, L.SEG_CS, USER_CODE, 0x1000, -1, 0xc0fb);
    setSegment(core, L.SEG_CS, USER_CODE, 0x1000, 0xfff, 0x40fb);
    expect(moves).toBe(2);
  });
});

describe('stack', () => {
  test('a push that faults leaves ESP to be put back by the guard', () => {
    setSegment(core, L.SEG_SS, KERNEL_DATA, 0, 0x8fff, 0x4097);
    core.state.esp = 0x9004;
    push(core, 2, 1);
    expectFault(core, VECTOR_SS, 0, () => push(core, 4, 1));
    expect(core.state.get(L.ESP_GUARD)).toBe(1);
    expect(core.state.get(L.SAVED_ESP)).toBe(0x9004);
  });
});
