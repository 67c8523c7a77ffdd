import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Cpu } from '../../../src/cpu/cpu.js';
import { writeEflags } from '../../../src/cpu/eflags.js';
import { I386 } from '../../../src/cpu/isa/instruction-set.js';
import { selectEncoding } from '../../../src/cpu/isa/opcode-map.js';
import {
  CODE,
  DATA,
  fingerprint,
  makeCpu,
  restart,
  stepByBlock,
  stepByHandler,
  stepByNumbers,
} from './machines.js';
import { NumberOps } from './number-ops.js';

const ARITHMETIC = 0x8d5;
const DIRECTION = 0x400;

/** Registers of which most point into the data page, so that memory operands mostly hit it. */
const register = fc.oneof(
  fc.integer({ min: DATA, max: DATA + 0xff0 }),
  fc.integer({ min: -1, max: 64 }),
  fc.integer(),
);

const start = fc.record({
  registers: fc.array(register, { minLength: 8, maxLength: 8 }),
  flags: fc.integer(),
  memory: fc.uint8Array({ minLength: 64, maxLength: 64 }),
});
type Start = typeof start extends fc.Arbitrary<infer T> ? T : never;

/** Opcodes whose meaning is emitted, as bytes: those of procedures have one meaning anyway. */
const hotOpcodes: number[][] = [];
for (let opcode = 0; opcode < 0x200; opcode++) {
  const bytes = opcode < 0x100 ? [opcode] : [0x0f, opcode & 0xff];
  const entry = I386.entry(opcode < 0x100 ? opcode : 0x0f00 | (opcode & 0xff));
  const rows = entry.group ?? [entry.encoding];
  if (rows.some((row) => row.semantics !== null)) hotOpcodes.push(bytes);
}

const prefixes = fc.subarray([0x66, 0x67, 0x26, 0xf2, 0xf3]);
const tail = fc.uint8Array({ minLength: 12, maxLength: 12 });
const anyHot = fc
  .record({ prefixes, opcode: fc.constantFrom(...hotOpcodes), tail })
  .map((parts) => [...parts.prefixes, ...parts.opcode, ...parts.tail]);

const first = makeCpu();
const second = makeCpu();
const third = makeCpu();

/** Puts the processor at the start of the program. */
function load(cpu: Cpu, start: Start, code: readonly number[]): Cpu {
  restart(cpu);
  const { state, physical } = cpu.core;
  start.registers.forEach((value, i) => state.setReg32(i, value));
  writeEflags(state, start.flags, ARITHMETIC | DIRECTION);
  physical.load(CODE, Uint8Array.from(code));
  for (let at = DATA; at < DATA + 0x1000; at += 64) physical.load(at, start.memory);
  return cpu;
}

test('handlers do what the same semantics does over numbers, for every opcode that is emitted', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(start, anyHot, (from, code) => {
      const byHandler = load(first, from, code);
      const byNumbers = load(second, from, code);
      const outcome = stepByHandler(byHandler);
      expect(outcome).toBe(stepByNumbers(byNumbers, new NumberOps(byNumbers.core)));
      expect(fingerprint(byHandler)).toBe(fingerprint(byNumbers));
      expect(Buffer.compare(byHandler.core.physical.ram, byNumbers.core.physical.ram)).toBe(0);
      seen.add(outcome ?? 'completed');
    }),
    { numRuns: 60000 },
  );
  expect(seen).toContain('completed');
  expect(seen.size).toBeGreaterThan(1);
});

/** The dozen on which the abstraction was tried first: MOV, ADD, SUB, CMP, PUSH, POP, Jcc, loads, stores. */
const reg = fc.integer({ min: 0, max: 7 });
const dozen = fc.oneof(
  fc
    .tuple(fc.constantFrom(0x89, 0x01, 0x29, 0x39), reg, reg)
    .map(([op, a, b]) => [op, 0xc0 | (a << 3) | b]),
  fc
    .tuple(fc.constantFrom(0x8b, 0x89, 0x03, 0x29), reg, fc.constantFrom(3, 6, 7))
    .map(([op, a, b]) => [op, (a << 3) | b]),
  fc.tuple(fc.constantFrom(0x50, 0x58), reg).map(([op, a]) => [op + a]),
  fc.integer({ min: 0, max: 15 }).map((code) => [0x70 + code, 0]),
  fc
    .tuple(reg, fc.integer())
    .map(([a, n]) => [0xb8 + a, n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24]),
);

test('a program runs alike as handlers, over numbers and as compiled blocks, instruction by instruction', () => {
  fc.assert(
    fc.property(start, fc.array(dozen, { minLength: 1, maxLength: 12 }), (from, program) => {
      const code = program.flat();
      const byHandler = load(first, from, code);
      const byNumbers = load(second, from, code);
      const byBlock = load(third, from, code);
      const numbers = new NumberOps(byNumbers.core);
      for (let i = 0; i < program.length; i++) {
        const outcome = stepByHandler(byHandler);
        expect(stepByNumbers(byNumbers, numbers)).toBe(outcome);
        expect(stepByBlock(byBlock)).toBe(outcome);
        expect(fingerprint(byNumbers)).toBe(fingerprint(byHandler));
        expect(fingerprint(byBlock)).toBe(fingerprint(byHandler));
        if (outcome !== null) break;
      }
      expect(Buffer.compare(byBlock.core.physical.ram, byHandler.core.physical.ram)).toBe(0);
    }),
    { numRuns: 150 },
  );
});

test('every opcode of the map has a row, and a group has eight', () => {
  for (let opcode = 0; opcode < 0x100; opcode++) {
    for (const full of [opcode, 0x0f00 | opcode]) {
      const entry = I386.entry(full);
      if (entry.group !== null) expect(entry.group).toHaveLength(8);
      expect(selectEncoding(entry, 0xff, I386).mnemonic).not.toBe('');
    }
  }
});
