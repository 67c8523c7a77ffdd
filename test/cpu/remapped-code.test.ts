/** Code that was decoded or compiled is executed only where a fetch would find it now. */
import { describe, expect, test } from 'vitest';
import type { CpuOptions } from '../../src/cpu/cpu.js';
import { setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import { enablePaging, KERNEL_CODE, PAGE_TABLE, peek32, poke32 } from './support/bare-core.js';
import { CODE, Program } from './support/program.js';

const EBX = 3;
const PRESENT_WRITABLE = 3;
const ACCESSED = 0x20;
const CR3 = 0x10000;
const OTHER_DIRECTORY = 0x12000;
const OTHER_TABLE = 0x13000;
const ROUNDS = 100;
/** A function whose page is mapped to one of two: it returns 1 or 2. */
const CALLED = 0x60000;
const entryAddress = (linear: number): number => PAGE_TABLE + (linear >>> 12) * 4;

function dword(value: number): number[] {
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
}

const ENGINES: readonly CpuOptions[] = [
  { engine: 'interpreter' },
  { engine: 'auto', hotEntries: 2 },
  { engine: 'jit' },
];

/** Paging on, linear = physical at first. */
function paged(code: readonly number[], options: CpuOptions): Program {
  const program = new Program(code, 0, options);
  const { core } = program.cpu;
  enablePaging(core, PRESENT_WRITABLE);
  for (const result of [1, 2]) {
    const at = CALLED + (result - 1) * 0x1000;
    core.physical.load(at, new Uint8Array([0xb8, ...dword(result), 0xc3])); // MOV EAX, result; RET
  }
  core.state.set(L.ECX, ROUNDS);
  core.state.set(L.EBX, 0);
  return program;
}

function runToEnd({ cpu }: Program): void {
  expect(cpu.run(20 * ROUNDS)).toBe('halted');
}

/** Calls, adds up what comes back, does what is given, and again. */
function callingLoop(between: readonly number[]): number[] {
  const body = [0xe8, ...dword(CALLED - CODE - 5), 0x01, 0xc3, ...between]; // CALL; ADD EBX, EAX
  return [...body, 0xe2, 0x100 - body.length - 2, 0xf4]; // LOOP; HLT
}

describe.each(ENGINES)('with %o', (options) => {
  test('a page whose table entry changes in a loop is executed where it is mapped', () => {
    const swap = [0x81, 0x35, ...dword(entryAddress(CALLED)), ...dword(0x1000)]; // XOR [entry], 1000h
    const program = paged(callingLoop(swap), options);
    const { core } = program.cpu;
    runToEnd(program);
    expect(core.state.reg32(EBX)).toBe((ROUNDS / 2) * (1 + 2));
  });

  test('a page that another directory maps elsewhere is executed there', () => {
    // MOV EDX, CR3; XOR EDX, 2000h; MOV CR3, EDX
    const swap = [0x0f, 0x20, 0xda, 0x81, 0xf2, ...dword(CR3 ^ OTHER_DIRECTORY), 0x0f, 0x22, 0xda];
    const program = paged(callingLoop(swap), options);
    const { core } = program.cpu;
    poke32(core, OTHER_DIRECTORY, OTHER_TABLE | 0x27);
    core.physical.load(OTHER_TABLE, core.physical.ram.slice(PAGE_TABLE, PAGE_TABLE + 0x1000));
    const entry = peek32(core, entryAddress(CALLED));
    poke32(core, OTHER_TABLE + (CALLED >>> 12) * 4, entry + 0x1000);
    runToEnd(program);
    expect(core.state.reg32(EBX)).toBe((ROUNDS / 2) * (1 + 2));
  });

  test('a fetch sets the accessed bit again that was cleared', () => {
    const clear = [0x80, 0x25, ...dword(entryAddress(CALLED)), 0xff ^ ACCESSED]; // AND byte [entry]
    const program = paged(callingLoop(clear), options);
    const { core } = program.cpu;
    const bits: number[] = [];
    for (let step = 0; step < 6 * ROUNDS; step++) {
      program.step(1);
      bits.push(peek32(core, entryAddress(CALLED)) & ACCESSED);
    }
    // CALL, MOV, RET, ADD, AND, LOOP: MOV's fetch sets it, AND clears it.
    const round = [bits[0], ACCESSED, ACCESSED, ACCESSED, 0, 0];
    const rounds = Array.from({ length: ROUNDS }, (_, i) =>
      i === 0 ? round : [0, ...round.slice(1)],
    );
    expect(bits).toEqual(rounds.flat());
  });

  test('a return goes to the address that it says, also where the same code is mapped nearer', () => {
    const there = 0x62000;
    const alias = 0x63000;
    // biome-ignore format: table
    const code = [
      0x52,                                     // PUSH EDX
      0xc3,                                     // RET
      0xe8, 0, 0, 0, 0,                         // CALL POP
      0x58,                                     // POP EAX
      0x01, 0xc3,                               // ADD EBX, EAX
      0x81, 0xf2, ...dword(there ^ alias),      // XOR EDX, there ^ alias
      0x49,                                     // DEC ECX
      0x75, 0xed,                               // JNZ PUSH
      0xf4,                                     // HLT
    ];
    const program = paged([], options);
    const { core } = program.cpu;
    core.physical.load(there, new Uint8Array(code));
    poke32(core, entryAddress(alias), there | 0x67);
    core.state.set(L.EDX, alias + 2);
    core.state.eip = there;
    runToEnd(program);
    expect(core.state.reg32(EBX)).toBe((ROUNDS / 2) * (there + 7 + alias + 7));
  });

  test('a state that is put back has the limit of its own code segment', () => {
    const program = new Program([0x41, 0x90, 0x90, 0xeb, 0xfb], 0, options); // INC ECX ... JMP INC
    const { core } = program.cpu;
    const access = core.state.segmentAccess(L.SEG_CS);
    setSegment(core, L.SEG_CS, KERNEL_CODE, 0, CODE + 2, access);
    const saved = program.cpu.save();
    setSegment(core, L.SEG_CS, KERNEL_CODE, 0, 0xfffffff, access);
    program.step(50);
    program.cpu.restore(saved);
    program.step(4);
    expect(program.deliveries).toMatchObject([{ vector: 13, eip: CODE + 3 }]);
  });
});
