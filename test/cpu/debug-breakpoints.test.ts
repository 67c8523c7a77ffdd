import { describe, expect, test } from 'vitest';
import { EFLAGS_RF, EFLAGS_TF } from '../../src/cpu/eflags.js';
import * as L from '../../src/cpu/state-layout.js';
import { KERNEL_STACK, peek32, poke32 } from './support/bare-core.js';
import { CODE, Program } from './support/program.js';

const DB = 1;
const UD = 6;
const NOP = 0x90;
const ESI = 6;
const EDI = 7;
const ECX = 1;
const DATA = 0x10000;
const BS = 1 << 14;

// DR7's R/W and LEN fields.
const EXECUTE = 0;
const WRITE = 1;
const ACCESS = 3;
const LENGTHS = { 1: 0, 2: 1, 4: 3 } as const;

/** Arms one of DR0 to DR3, by its local enable bit. */
function arm(
  program: Program,
  index: number,
  linear: number,
  kind: number,
  length: keyof typeof LENGTHS = 1,
): void {
  const { state } = program.cpu.core;
  state.set(L.DR0 + index * 4, linear);
  const control = (kind | (LENGTHS[length] << 2)) << (16 + index * 4);
  state.set(L.DR7, state.get(L.DR7) | 0x400 | (1 << (index * 2)) | control);
}

/** B0 to B3 and BS of DR6. */
function causes(program: Program): number {
  return program.cpu.core.state.get(L.DR6) & (0xf | BS);
}

describe('a breakpoint on execution', () => {
  test('is a fault before the instruction, with RF clear in the image', () => {
    const program = new Program([NOP, NOP, NOP]);
    arm(program, 2, CODE + 1, EXECUTE);
    program.step(2);
    expect(program.story).toBe(`${DB}@1`);
    expect(causes(program)).toBe(1 << 2);
    expect(peek32(program.cpu.core, KERNEL_STACK - 4) & EFLAGS_RF).toBe(0);
  });

  test('lets the instruction through once if the handler sets RF in the image', () => {
    // JMP to itself with a breakpoint on it.
    const program = new Program([0xeb, 0xfe]);
    const { core } = program.cpu;
    arm(program, 0, CODE, EXECUTE);
    program.step(1);
    expect(program.deliveries).toHaveLength(1);
    const flagsAt = core.state.esp + 8;
    poke32(core, flagsAt, peek32(core, flagsAt) | EFLAGS_RF);
    // IRET, the jump, and the breakpoint again.
    program.step(2);
    expect(program.deliveries).toHaveLength(1);
    program.step(1);
    expect(program.deliveries).toHaveLength(2);
  });

  test('is not seen where RF is set, and RF is clear afterwards', () => {
    const program = new Program([NOP, NOP]);
    const { state } = program.cpu.core;
    state.set(L.FLAG_SYSTEM, state.get(L.FLAG_SYSTEM) | EFLAGS_RF);
    arm(program, 0, CODE, EXECUTE);
    program.step(1);
    expect(program.deliveries).toEqual([]);
    expect(state.get(L.FLAG_SYSTEM) & EFLAGS_RF).toBe(0);
  });

  test('comes before any fault of the instruction itself', () => {
    const program = new Program([0x0f, 0x0b]);
    arm(program, 0, CODE, EXECUTE);
    program.step(1);
    expect(program.story).toBe(`${DB}@0`);
  });

  test('is suppressed behind MOV SS', () => {
    // MOV AX, SS; MOV SS, AX; NOP; NOP
    const program = new Program([0x8c, 0xd0, 0x8e, 0xd0, NOP, NOP]);
    arm(program, 0, CODE + 4, EXECUTE);
    arm(program, 1, CODE + 5, EXECUTE);
    program.step(4);
    expect(program.story).toBe(`${DB}@5`);
    expect(causes(program)).toBe(1 << 1);
  });

  test('in the middle of an instruction is none', () => {
    const program = new Program([0xb8, 0, 0, 0, 0, NOP]);
    arm(program, 0, CODE + 2, EXECUTE);
    program.step(2);
    expect(program.deliveries).toEqual([]);
  });

  test('is not one of data: reading and writing the place is free', () => {
    // MOV [CODE + 100h], AL; MOV AL, [CODE + 100h]
    const at = [0x00, 0x01, 0x02, 0x00];
    const program = new Program([0xa2, ...at, 0xa0, ...at]);
    arm(program, 0, CODE + 0x100, EXECUTE);
    program.step(2);
    expect(program.deliveries).toEqual([]);
  });

  test('stops a loop each time round, compiled or not', () => {
    // INC EAX; JMP back
    const program = new Program([0x40, NOP, NOP, 0xeb, 0xfb], 0, { hotEntries: 1 });
    program.step(400);
    arm(program, 3, CODE + 1, EXECUTE);
    program.cpu.core.attention();
    program.step(6);
    expect(program.deliveries.at(0)?.vector).toBe(DB);
    expect(program.deliveries.at(0)?.eip).toBe(CODE + 1);
  });
});

/** MOV [DATA + offset], EAX */
const store = (offset: number): number[] => [0xa3, offset & 0xff, 0x00, 0x01, 0x00];
/** MOV EAX, [DATA + offset] */
const load = (offset: number): number[] => [0xa1, offset & 0xff, 0x00, 0x01, 0x00];

describe('a breakpoint on data', () => {
  test('is a trap behind the instruction that wrote', () => {
    const program = new Program([...store(0), NOP]);
    arm(program, 1, DATA, WRITE, 4);
    program.step(2);
    expect(program.story).toBe(`${DB}@5`);
    expect(causes(program)).toBe(1 << 1);
  });

  test('on writes lets reads pass, one on accesses does not', () => {
    const reading = new Program([...load(0), NOP]);
    arm(reading, 0, DATA, WRITE, 4);
    reading.step(2);
    expect(reading.deliveries).toEqual([]);
    const accessing = new Program([...load(0), NOP]);
    arm(accessing, 0, DATA, ACCESS, 4);
    accessing.step(2);
    expect(accessing.story).toBe(`${DB}@5`);
  });

  // A store of 4 bytes at DATA + 8 covers 8 to 11.
  // biome-ignore format: table
  const rows: [number, keyof typeof LENGTHS, boolean][] = [
    [7,  1, false], [8,  1, true], [11, 1, true], [12, 1, false],
    [6,  2, false], [7,  2, false], [9,  2, true], [10, 2, true], [12, 2, false],
    [4,  4, false], [7,  4, false], [8,  4, true], [11, 4, true], [12, 4, false],
  ];
  test.each(rows)(
    'at offset %i of %i bytes: aligned to its length (%s)',
    (offset, length, hits) => {
      const program = new Program([...store(8), NOP]);
      arm(program, 0, DATA + offset, WRITE, length);
      program.step(2);
      expect(program.deliveries.length > 0).toBe(hits);
    },
  );

  test('is met by an access that only ends in it', () => {
    const program = new Program([...store(0xfe), NOP]);
    arm(program, 0, DATA + 0x101, WRITE);
    program.step(2);
    expect(program.story).toBe(`${DB}@5`);
  });

  test('does not come where the instruction faults', () => {
    const program = new Program([...load(0), 0x0f, 0x0b]);
    program.step(1);
    arm(program, 0, DATA, ACCESS, 4);
    program.step(1);
    expect(program.story).toBe(`${UD}@5`);
    expect(causes(program)).toBe(0);
  });

  test('comes between the iterations of a REP', () => {
    const program = new Program([0xf3, 0xa4, NOP]);
    const { state } = program.cpu.core;
    state.setReg32(ESI, DATA);
    state.setReg32(EDI, DATA + 0x80);
    state.setReg32(ECX, 5);
    arm(program, 0, DATA + 0x82, WRITE);
    program.step(4);
    expect(program.story).toBe(`${DB}@0`);
    expect(state.reg32(ECX)).toBe(2);
  });

  test('and a single step together are one #DB with both causes', () => {
    const program = new Program([...store(0), NOP], EFLAGS_TF);
    arm(program, 3, DATA, WRITE, 4);
    program.step(2);
    expect(program.story).toBe(`${DB}@5`);
    expect(causes(program)).toBe((1 << 3) | BS);
  });

  test('sees a push', () => {
    const program = new Program([0x50, NOP]);
    arm(program, 0, KERNEL_STACK - 4, WRITE, 4);
    program.step(2);
    expect(program.deliveries.at(0)?.vector).toBe(DB);
  });

  test('is off where neither L nor G is set', () => {
    const program = new Program([...store(0), NOP]);
    arm(program, 0, DATA, WRITE, 4);
    const { state } = program.cpu.core;
    state.set(L.DR7, state.get(L.DR7) & ~3);
    program.step(2);
    expect(program.deliveries).toEqual([]);
    state.set(L.DR7, state.get(L.DR7) | 2);
    state.eip = CODE;
    program.step(2);
    expect(program.story).toBe(`${DB}@5`);
  });

  test('in a compiled loop stops at the access', () => {
    // MOV [DATA], EAX; INC EAX; NOP; JMP back
    const program = new Program([...store(0), 0x40, NOP, 0xeb, 0xf7], 0, { hotEntries: 1 });
    program.step(400);
    arm(program, 0, DATA, WRITE, 4);
    program.cpu.core.attention();
    program.step(6);
    expect(program.deliveries.at(0)?.eip).toBe(CODE + 5);
  });
});
