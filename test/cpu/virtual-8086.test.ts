import { beforeEach, describe, expect, test } from 'vitest';
import { CR4_TSD } from '../../src/cpu/control-registers.js';
import type { Core } from '../../src/cpu/core.js';
import {
  EFLAGS_CF,
  EFLAGS_IF,
  EFLAGS_IOPL,
  EFLAGS_NT,
  EFLAGS_RF,
  EFLAGS_VM,
  readEflags,
  writeEflags,
} from '../../src/cpu/eflags.js';
import { setCpl, setRealSegment, setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import {
  FREE,
  KERNEL_CODE,
  KERNEL_DATA,
  KERNEL_STACK,
  peek16,
  peek32,
  poke16,
  poke32,
  putSegment,
  putVector,
  stackDwords,
  TSS,
  TSS_B,
  TSS_SELECTOR,
} from './support/bare-core.js';
import { CODE, HANDLERS, Program } from './support/program.js';

const CODE_SELECTOR = CODE >> 4;
const STACK_SELECTOR = 0x0900;
const DATA_SELECTOR = 0x4000;
const SP = 0x800;
const DATA = DATA_SELECTOR << 4;
const STACK = (STACK_SELECTOR << 4) + SP;
const OPEN_GATE = 0xee;
const UD = 6;
const GP = 13;
const SS = 12;
const TSS_LIMIT = 0x1ff;
const IO_MAP = 0x100;

/** A program in virtual-8086 mode, at CODE_SELECTOR:0, with a TSS that permits no port. */
function virtual8086(code: readonly number[], flags = 0): Program {
  const program = new Program(code);
  const { core } = program.cpu;
  setSegment(core, L.SEG_TR, TSS_SELECTOR, TSS, TSS_LIMIT, 0x8b);
  poke16(core, TSS + 0x66, IO_MAP);
  core.physical.ram.fill(0xff, TSS + IO_MAP, TSS + TSS_LIMIT + 1);
  enter(core, flags);
  return program;
}

function enter(core: Core, flags: number): void {
  writeEflags(core.state, flags | EFLAGS_VM, -1);
  setRealSegment(core, L.SEG_CS, CODE_SELECTOR);
  setRealSegment(core, L.SEG_SS, STACK_SELECTOR);
  for (const segment of [L.SEG_ES, L.SEG_DS, L.SEG_FS, L.SEG_GS] as const) {
    setRealSegment(core, segment, DATA_SELECTOR);
  }
  core.state.eip = 0;
  core.state.esp = SP;
  setCpl(core, 3);
}

/** `vector:error code` of the fault that the first instruction raises, or null. */
function raised(
  code: readonly number[],
  iopl: number,
  prepare?: (core: Core) => void,
): string | null {
  const program = virtual8086(code, iopl << 12);
  const { core } = program.cpu;
  prepare?.(core);
  program.step(1);
  const delivery = program.deliveries.at(0);
  if (delivery === undefined) return null;
  return `${delivery.vector}:${delivery.vector === UD ? 0 : peek32(core, core.state.esp)}`;
}

// biome-ignore format: table
const sensitive: [string, number[]][] = [
  ['CLI',     [0xfa]],
  ['STI',     [0xfb]],
  ['PUSHF',   [0x9c]],
  ['PUSHFD',  [0x66, 0x9c]],
  ['POPF',    [0x9d]],
  ['POPFD',   [0x66, 0x9d]],
  ['IRET',    [0xcf]],
  ['IRETD',   [0x66, 0xcf]],
];

describe.each([0, 1, 2, 3])('with IOPL %i', (iopl) => {
  test.each(sensitive)('%s is #GP(0) unless IOPL is 3', (_name, code) => {
    expect(raised(code, iopl)).toBe(iopl === 3 ? null : '13:0');
  });

  test('INT n is #GP(0) unless IOPL is 3, and then wants an open gate', () => {
    expect(raised([0xcd, 0x42], iopl)).toBe(iopl === 3 ? `13:${0x42 * 8 + 2}` : '13:0');
  });

  test('INT3 and INTO do not mind IOPL, only the gate', () => {
    expect(raised([0xcc], iopl)).toBe(`13:${3 * 8 + 2}`);
    const open = (core: Core): void => putVector(core, 3, KERNEL_CODE, HANDLERS + 3, OPEN_GATE);
    expect(raised([0xcc], iopl, open)).toBeNull();
  });

  test('IN and OUT do not mind IOPL, only the bit map', () => {
    expect(raised([0xe4, 0x60], iopl)).toBe('13:0');
    expect(raised([0xe7, 0x60], iopl)).toBe('13:0');
    expect(raised([0x6e], iopl)).toBe('13:0');
    const permit = (core: Core): void => core.physical.write(TSS + IO_MAP + 0xc, 1, 0xfe);
    expect(raised([0xe4, 0x60], iopl, permit)).toBeNull();
    expect(raised([0xe5, 0x60], iopl, permit)).toBe('13:0');
  });
});

describe('privileged instructions are #GP(0) even with IOPL 3', () => {
  // biome-ignore format: table
  test.each<[string, number[]]>([
    ['HLT',           [0xf4]],
    ['LGDT',          [0x0f, 0x01, 0x16, 0x00, 0x00]],
    ['LIDT',          [0x0f, 0x01, 0x1e, 0x00, 0x00]],
    ['LMSW',          [0x0f, 0x01, 0xf0]],
    ['INVLPG',        [0x0f, 0x01, 0x3e, 0x00, 0x00]],
    ['CLTS',          [0x0f, 0x06]],
    ['INVD',          [0x0f, 0x08]],
    ['WBINVD',        [0x0f, 0x09]],
    ['MOV EAX, CR0',  [0x0f, 0x20, 0xc0]],
    ['MOV CR3, EAX',  [0x0f, 0x22, 0xd8]],
    ['MOV EAX, DR7',  [0x0f, 0x21, 0xf8]],
    ['MOV DR0, EAX',  [0x0f, 0x23, 0xc0]],
    ['WRMSR',         [0x0f, 0x30]],
    ['RDMSR',         [0x0f, 0x32]],
    ['SYSEXIT',       [0x0f, 0x35]],
  ])('%s', (_name, code) => {
    expect(raised(code, 3)).toBe('13:0');
  });

  test('RDTSC while CR4.TSD is set', () => {
    const forbid = (core: Core): void => core.state.set(L.CR4, CR4_TSD);
    expect(raised([0x0f, 0x31], 3)).toBeNull();
    expect(raised([0x0f, 0x31], 3, forbid)).toBe('13:0');
  });
});

// biome-ignore format: table
test.each<[string, number[]]>([
  ['SLDT', [0x0f, 0x00, 0xc0]],
  ['STR',  [0x0f, 0x00, 0xc8]],
  ['LLDT', [0x0f, 0x00, 0xd0]],
  ['LTR',  [0x0f, 0x00, 0xd8]],
  ['VERR', [0x0f, 0x00, 0xe0]],
  ['VERW', [0x0f, 0x00, 0xe8]],
  ['LAR',  [0x0f, 0x02, 0xc0]],
  ['LSL',  [0x0f, 0x03, 0xc0]],
  ['ARPL', [0x63, 0xc0]],
])('%s is #UD', (_name, code) => {
  expect(raised(code, 3)).toBe(`${UD}:0`);
});

// biome-ignore format: table
test.each<[string, number[]]>([
  ['SGDT',               [0x0f, 0x01, 0x06, 0x00, 0x00]],
  ['SIDT',               [0x0f, 0x01, 0x0e, 0x00, 0x00]],
  ['SMSW',               [0x0f, 0x01, 0xe0]],
  ['CPUID',              [0x0f, 0xa2]],
  ['MOV CS:[0], AL',     [0x2e, 0xa2, 0x00, 0x08]],
  ['PUSH CS',            [0x0e]],
  ['a far jump',         [0xea, 0x00, 0x00, 0x00, 0x20]],
])('%s needs no privilege', (_name, code) => {
  expect(raised(code, 0)).toBeNull();
});

// biome-ignore format: table
test.each<[string, number[], number]>([
  ['a word at DS:FFFF',                [0xa1, 0xff, 0xff],                         GP],
  ['a word at SS:FFFF',                [0x36, 0xa1, 0xff, 0xff],                   SS],
  ['a 32-bit address of 10000h',       [0x67, 0xa0, 0x00, 0x00, 0x01, 0x00],       GP],
  ['a 32-bit address of 10000h in SS', [0x36, 0x67, 0xa0, 0x00, 0x00, 0x01, 0x00], SS],
  ['a 32-bit jump to 10000h',          [0x66, 0xe9, 0xfa, 0xff, 0x00, 0x00],       GP],
])('%s is beyond the segment, whatever the selector was before', (_name, code, vector) => {
  expect(raised(code, 0)).toBe(`${vector}:0`);
});

describe('flags', () => {
  test('PUSHF stores IOPL and IF as they are', () => {
    const program = virtual8086([0x9c], EFLAGS_IOPL | EFLAGS_IF | EFLAGS_CF);
    program.step(1);
    expect(peek16(program.cpu.core, STACK - 2)).toBe(EFLAGS_IOPL | EFLAGS_IF | EFLAGS_CF | 2);
  });

  test('POPFD and IRETD change IF, but neither IOPL nor VM', () => {
    const program = virtual8086([0x66, 0x9d], EFLAGS_IOPL);
    poke32(program.cpu.core, STACK, EFLAGS_IF | EFLAGS_CF | EFLAGS_NT);
    program.step(1);
    const expected = EFLAGS_VM | EFLAGS_IOPL | EFLAGS_IF | EFLAGS_CF | EFLAGS_NT | 2;
    expect(readEflags(program.cpu.core.state)).toBe(expected);

    const returning = virtual8086([0x66, 0xcf], EFLAGS_IOPL);
    const { core } = returning.cpu;
    [0x123, 0x2001, EFLAGS_IF | EFLAGS_RF].forEach((dword, i) =>
      poke32(core, STACK + 4 * i, dword),
    );
    returning.step(1);
    expect(readEflags(core.state)).toBe(EFLAGS_VM | EFLAGS_IOPL | EFLAGS_IF | EFLAGS_RF | 2);
    expect([core.state.selector(L.SEG_CS), core.state.eip]).toEqual([0x2001, 0x123]);
  });

  test('NT does not make IRET a task return', () => {
    const program = virtual8086([0xcf], EFLAGS_IOPL | EFLAGS_NT);
    const { core } = program.cpu;
    [0x10, CODE_SELECTOR, 0].forEach((word, i) => poke16(core, STACK + 2 * i, word));
    program.step(1);
    expect(program.deliveries).toEqual([]);
    expect(core.state.eip).toBe(0x10);
  });
});

describe('to the monitor and back', () => {
  let program: Program;
  let core: Core;

  beforeEach(() => {
    program = virtual8086([0x0f, 0x0b], EFLAGS_IF | EFLAGS_IOPL);
    core = program.cpu.core;
  });

  test('a fault pushes all segments on the stack of CPL 0; IRETD restores them', () => {
    setRealSegment(core, L.SEG_GS, 0x1234);
    program.step(1);
    expect(core.state.cpl).toBe(0);
    expect(core.state.selector(L.SEG_SS)).toBe(KERNEL_DATA);
    expect(core.state.esp).toBe(KERNEL_STACK - 36);
    const flags = EFLAGS_VM | EFLAGS_IF | EFLAGS_IOPL | 2;
    expect(stackDwords(core, 9)).toEqual([
      ...[0, CODE_SELECTOR, flags | EFLAGS_RF, SP, STACK_SELECTOR],
      ...[DATA_SELECTOR, DATA_SELECTOR, DATA_SELECTOR, 0x1234],
    ]);
    expect(readEflags(core.state) & (EFLAGS_VM | EFLAGS_IF)).toBe(0);
    program.step(1);
    expect(core.state.cpl).toBe(3);
    expect(readEflags(core.state)).toBe(flags | EFLAGS_RF);
    expect(core.state.segmentBase(L.SEG_GS)).toBe(0x12340);
    expect([core.state.eip, core.state.esp]).toEqual([0, SP]);
  });

  test('an interrupt leaves it, and its handler’s IRETD goes back', () => {
    program.raiseIrq();
    program.step(2);
    expect(program.deliveries.map(({ vector, cpl }) => [vector, cpl])).toEqual([[0x20, 3]]);
    expect([core.state.selector(L.SEG_CS), core.state.cpl]).toEqual([CODE_SELECTOR, 3]);
  });

  test('INT n through an open gate goes to CPL 0 with the next IP', () => {
    const calling = virtual8086([0xcd, 0x42], EFLAGS_IOPL);
    putVector(calling.cpu.core, 0x42, KERNEL_CODE, HANDLERS + 0x42, OPEN_GATE);
    calling.step(1);
    expect(calling.cpu.core.state.cpl).toBe(0);
    expect(peek32(calling.cpu.core, calling.cpu.core.state.esp)).toBe(2);
  });

  test('a gate to code of CPL 3 is no way out: #GP with its selector', () => {
    putSegment(core, FREE, 0, 0xfffff, 0xc0fb);
    putVector(core, UD, FREE | 3, HANDLERS, 0x8e);
    program.step(1);
    expect(core.state.eip).toBe(HANDLERS + GP);
    expect(peek32(core, core.state.esp)).toBe(FREE | 1);
  });
});

describe('tasks', () => {
  const TASK_GATE = 0xe5;
  const TARGET = HANDLERS + 0x80;

  test('a task gate leaves it for a task with VM clear, whose IRET comes back', () => {
    const program = virtual8086([0x0f, 0x0b], EFLAGS_IOPL);
    const { core } = program.cpu;
    putSegment(core, FREE, TSS_B, 0x67, 0x89);
    putVector(core, UD, FREE, 0, TASK_GATE);
    poke32(core, TSS_B + 0x20, TARGET);
    poke32(core, TSS_B + 0x24, 2);
    poke32(core, TSS_B + 0x38, KERNEL_STACK);
    [KERNEL_DATA, KERNEL_CODE, KERNEL_DATA, KERNEL_DATA, 0, 0].forEach((selector, i) =>
      poke32(core, TSS_B + 0x48 + 4 * i, selector),
    );
    program.step(1);
    expect([core.state.eip, core.state.cpl]).toEqual([TARGET, 0]);
    expect(readEflags(core.state)).toBe(EFLAGS_NT | 2);
    expect(peek32(core, TSS + 0x24)).toBe(EFLAGS_VM | EFLAGS_IOPL | EFLAGS_RF | 2);
    expect(peek16(core, TSS + 0x4c)).toBe(CODE_SELECTOR);
    program.step(1);
    expect([core.state.eip, core.state.cpl]).toEqual([0, 3]);
    expect(core.state.segmentBase(L.SEG_CS)).toBe(CODE);
    expect(core.state.segmentBase(L.SEG_DS)).toBe(DATA);
    expect(readEflags(core.state)).toBe(EFLAGS_VM | EFLAGS_IOPL | EFLAGS_RF | 2);
  });
});
