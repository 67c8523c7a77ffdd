import { beforeEach, describe, expect, test } from 'vitest';
import { EFLAGS_ZF, writeEflags } from '../../src/cpu/eflags.js';
import { setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import {
  enablePaging,
  enterUser,
  KERNEL_CODE,
  mapPage,
  PAGE_TABLE,
  peek32,
  poke32,
} from './support/bare-core.js';
import { CODE, Program } from './support/program.js';

const EAX = 0;
const UD = 6;
const GP = 13;
const PF = 14;
const PRESENT = 1;
const USER = 4;
/** The page behind that of CODE. */
const NEXT = CODE + 0x1000;
const NOP = 0x90;
const MOV_EAX = 0xb8;
const OVERRIDE_DS = 0x3e;
const TOP_TABLE = 0x12000;
const TOP_PAGE = 0x22000;

let program: Program;

/** Paging on; linear FFFFF000h is physical TOP_PAGE. */
beforeEach(() => {
  program = new Program([]);
  const { core } = program.cpu;
  enablePaging(core, PRESENT | 2 | USER);
  poke32(core, 0x10000, PAGE_TABLE | 0x27);
  poke32(core, 0x10000 + 1023 * 4, TOP_TABLE | 0x27);
  poke32(core, TOP_TABLE + 1023 * 4, TOP_PAGE | 0x67);
});

function place(linear: number, bytes: readonly number[]): void {
  const { core } = program.cpu;
  bytes.forEach((byte, i) => core.physical.write(linear + i, 1, byte));
  core.state.eip = linear;
}

/** Puts the bytes so that `inFirst` of them lie in CODE's page and the rest in the next one. */
function straddle(bytes: readonly number[], inFirst: number): void {
  place(NEXT - inFirst, bytes);
}

function remove(linear: number): void {
  mapPage(program.cpu.core, linear >>> 12, 0);
  program.cpu.core.mmu.flush();
}

/** Takes a step: the vector, the EIP and the error code that a fault left, or null. */
function fault(): { vector: number; eip: number; errorCode: number; cr2: number } | null {
  program.step(1);
  const delivery = program.deliveries.at(0);
  const { core } = program.cpu;
  if (delivery === undefined) return null;
  return {
    vector: delivery.vector,
    eip: delivery.eip >>> 0,
    errorCode: peek32(core, core.state.esp),
    cr2: core.state.get(L.CR2) >>> 0,
  };
}

describe('an instruction that lies in two pages', () => {
  test.each([1, 2, 3, 4])('with %i bytes in the first is executed as a whole', (inFirst) => {
    straddle([MOV_EAX, 0x11, 0x22, 0x33, 0x44], inFirst);
    expect(fault()).toBeNull();
    expect(program.cpu.core.state.reg32(EAX)).toBe(0x44332211);
    expect(program.cpu.core.state.eip).toBe(NEXT + 5 - inFirst);
  });

  test.each([1, 4])('with %i bytes in the first faults at the start of the second', (inFirst) => {
    straddle([MOV_EAX, 0x11, 0x22, 0x33, 0x44], inFirst);
    remove(NEXT);
    expect(fault()).toEqual({ vector: PF, eip: NEXT - inFirst, errorCode: 0, cr2: NEXT });
  });

  test('faults with U set at CPL 3, and P where the page is the supervisor’s', () => {
    straddle([MOV_EAX, 0x11, 0x22, 0x33, 0x44], 2);
    const { core } = program.cpu;
    const { eip } = core.state;
    enterUser(core);
    core.state.eip = eip;
    mapPage(core, NEXT >>> 12, PRESENT);
    core.mmu.flush();
    expect(fault()).toEqual({ vector: PF, eip: NEXT - 2, errorCode: PRESENT | USER, cr2: NEXT });
  });

  test('faults at its own address where the first page is absent', () => {
    straddle([MOV_EAX, 0x11, 0x22, 0x33, 0x44], 2);
    remove(CODE);
    expect(fault()).toEqual({ vector: PF, eip: NEXT - 2, errorCode: 0, cr2: NEXT - 2 });
  });

  test('needs no second page where it ends with the first', () => {
    straddle([MOV_EAX, 0x11, 0x22, 0x33, 0x44], 5);
    remove(NEXT);
    expect(fault()).toBeNull();
  });

  test('faults before it is found undefined, if that takes a byte of the second page', () => {
    straddle([0x0f, 0xff, 0xc0], 1);
    remove(NEXT);
    expect(fault()).toMatchObject({ vector: PF, cr2: NEXT });
  });

  test('is undefined before its second page is looked at, if its first bytes say so', () => {
    straddle([0x0f, 0x0b], 2);
    remove(NEXT);
    expect(fault()).toMatchObject({ vector: UD, eip: NEXT - 2 });
  });
});

describe('an instruction in two pages that was executed before', () => {
  const INSTRUCTION = [MOV_EAX, 0x11, 0x22, 0x33, 0x44];
  const EIP = NEXT - 2;
  const SPARE = 0x23000;

  beforeEach(() => {
    straddle(INSTRUCTION, 2);
    program.step(1);
    program.cpu.core.state.eip = EIP;
  });

  function again(): number {
    expect(fault()).toBeNull();
    return program.cpu.core.state.reg32(EAX);
  }

  test('is seen as it is now when its first page was written', () => {
    program.cpu.core.physical.write(EIP + 1, 1, 0x99);
    expect(again()).toBe(0x44332299);
  });

  test('is seen as it is now when its second page was written', () => {
    program.cpu.core.physical.write(NEXT, 1, 0x99);
    expect(again()).toBe(0x44339911);
  });

  test('is fetched from where the second page is mapped now', () => {
    const { core } = program.cpu;
    [0x55, 0x66, 0x77].forEach((byte, i) => core.physical.write(SPARE + i, 1, byte));
    poke32(core, PAGE_TABLE + (NEXT >>> 12) * 4, SPARE | 0x67);
    expect(again()).toBe(0x77665511);
  });

  test('faults where the second page is gone', () => {
    remove(NEXT);
    expect(fault()).toEqual({ vector: PF, eip: EIP, errorCode: 0, cr2: NEXT });
  });
});

describe('15 bytes', () => {
  const prefixed = (count: number, ...bytes: number[]): number[] => [
    ...new Array<number>(count).fill(OVERRIDE_DS),
    ...bytes,
  ];

  test('are an instruction', () => {
    place(CODE, prefixed(14, NOP));
    expect(fault()).toBeNull();
    expect(program.cpu.core.state.eip).toBe(CODE + 15);
  });

  test.each<[string, number[]]>([
    ['15 prefixes and an opcode', prefixed(15, NOP)],
    ['14 prefixes and an opcode of two bytes', prefixed(14, 0x0f, 0xa2)],
    ['11 prefixes and an immediate of four bytes', prefixed(11, MOV_EAX, 1, 2, 3, 4)],
    ['9 prefixes, ModRM, SIB and a displacement', prefixed(9, 0x8b, 0x84, 0x24, 1, 2, 3, 4)],
  ])('are not enough for %s: #GP(0)', (_name, bytes) => {
    place(CODE, bytes);
    expect(bytes).toHaveLength(16);
    expect(fault()).toMatchObject({ vector: GP, eip: CODE, errorCode: 0 });
  });

  test('too many are #GP even where the 16th lies in an absent page', () => {
    straddle(prefixed(15, NOP), 15);
    remove(NEXT);
    expect(fault()).toMatchObject({ vector: GP, eip: NEXT - 15 });
  });

  test('an absent page among the first 15 comes first', () => {
    straddle(prefixed(15, NOP), 14);
    remove(NEXT);
    expect(fault()).toMatchObject({ vector: PF, cr2: NEXT });
  });
});

describe('the end of the code segment', () => {
  test('is found before the page behind it', () => {
    straddle([MOV_EAX, 0x11, 0x22, 0x33, 0x44], 3);
    setSegment(program.cpu.core, L.SEG_CS, KERNEL_CODE, 0, NEXT - 1, 0x409b);
    remove(NEXT);
    expect(fault()).toMatchObject({ vector: GP, eip: NEXT - 3, errorCode: 0 });
  });

  // As an AMD processor of family 25 has it with a limit of 4 GiB.
  test('at 4 GiB is none for an instruction that ends there: the next one is at 0', () => {
    const { core } = program.cpu;
    [MOV_EAX, 0x11, 0x22, 0x33, 0x44].forEach((byte, i) =>
      core.physical.write(TOP_PAGE + 0xffb + i, 1, byte),
    );
    core.physical.write(0, 1, 0x40);
    core.state.eip = 0xfffffffb | 0;
    program.step(2);
    expect(program.deliveries).toEqual([]);
    expect(core.state.reg32(EAX)).toBe(0x44332212);
    expect(core.state.eip).toBe(1);
  });

  test('at 4 GiB is one for an instruction that goes on beyond it: #GP', () => {
    const { core } = program.cpu;
    core.physical.write(TOP_PAGE + 0xfff, 1, MOV_EAX);
    core.state.eip = -1;
    expect(fault()).toMatchObject({ vector: GP, eip: 0xffffffff, errorCode: 0 });
  });
});

test.each([0xfffffffd, 0xfffffffe, 0xffffffff])(
  'a doubleword at %i reaches beyond a data segment of 4 GiB: #GP',
  (address) => {
    const bytes = [0, 8, 16, 24].map((shift) => (address >>> shift) & 0xff);
    place(CODE, [0xa1, ...bytes]);
    expect(fault()).toMatchObject({ vector: GP, eip: CODE, errorCode: 0 });
  },
);

test('a doubleword at FFFFFFFCh does not', () => {
  poke32(program.cpu.core, TOP_PAGE + 0xffc, 0x12345678);
  place(CODE, [0xa1, 0xfc, 0xff, 0xff, 0xff]);
  expect(fault()).toBeNull();
  expect(program.cpu.core.state.reg32(EAX)).toBe(0x12345678);
});

// As an AMD processor of family 25 has it with a 16-bit code segment of 128 KiB.
describe('in 16-bit code beyond 64 KiB', () => {
  const BASE = 0x40000;

  function at(offset: number, code: readonly number[]): void {
    const { core } = program.cpu;
    core.physical.ram.fill(NOP, BASE, BASE + 0x20000);
    core.physical.load(BASE + offset, Uint8Array.from(code));
    setSegment(core, L.SEG_CS, KERNEL_CODE, BASE, 0x1ffff, 0x9b);
    core.state.eip = offset;
  }

  test('EIP goes on from FFFFh to 10000h', () => {
    at(0xffff, [NOP, NOP]);
    program.step(2);
    expect(program.cpu.core.state.eip).toBe(0x10001);
  });

  test('an instruction may lie across it', () => {
    at(0xffff, [MOV_EAX, 0x34, 0x12]);
    program.step(1);
    expect(program.cpu.core.state.reg16(EAX)).toBe(0x1234);
    expect(program.cpu.core.state.eip).toBe(0x10002);
  });

  // biome-ignore format: table
  test.each<[string, number[], number]>([
    ['JMP',                    [0xeb, 0x10],             0x22],
    ['JMP of 32 bits',         [0x66, 0xeb, 0x10],       0x10023],
    ['CALL',                   [0xe8, 0x10, 0x00],       0x23],
    ['LOOP',                   [0xe2, 0x10],             0x22],
    ['JZ, taken',              [0x74, 0x10],             0x22],
    ['JNZ, not taken',         [0x75, 0x10],             0x10012],
  ])('%s at 10010h goes on where the operand size lets it', (_name, code, eip) => {
    at(0x10010, code);
    writeEflags(program.cpu.core.state, EFLAGS_ZF, EFLAGS_ZF);
    program.step(1);
    expect(program.deliveries).toEqual([]);
    expect(program.cpu.core.state.eip).toBe(eip);
  });
});
