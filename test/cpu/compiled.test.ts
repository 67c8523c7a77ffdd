/**
 * Compiled code is the interpreter, only faster: the same program gives the same state at the same
 * instant, whatever interrupts, faults, page ends and self-modification do to it.
 */
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { hotInstruction } from './support/hot-instructions.js';
import { CODE, circumstances, DATA, expectSameRuns, type Piece } from './support/same-runs.js';

const RUNS = Number(process.env['HOLDOFF_FUZZ_RUNS'] ?? 150);

function dword(value: number): number[] {
  return [value, value >> 8, value >> 16, value >> 24].map((byte) => byte & 0xff);
}

const body = fc.array(hotInstruction, { minLength: 1, maxLength: 12 });
/** Where in its page a loop begins: near the end it runs into the next. */
const start = fc.constantFrom(CODE, CODE + 0x123, CODE + 0xfe0, CODE + 0xff5);

function loopAt(at: number, instructions: readonly (readonly number[])[]): Piece {
  const bytes = instructions.flat();
  return { at, bytes: [...bytes, 0xe9, ...dword(-bytes.length - 5)] };
}

const FRAGMENTS = 6;
const TABLE = DATA + 0x800;
/** ECX &= 3, so that it is an index of the table. */
const AND_ECX_3 = [0x83, 0xe1, 3];
const FRAGMENT_BYTES = 0x60;

type Exit = 'jump' | 'branch' | 'call' | 'indirect jump' | 'indirect call' | 'return';

const fragment = fc.record({
  body: fc.array(hotInstruction, { maxLength: 4 }),
  exit: fc.constantFrom<Exit>('jump', 'branch', 'call', 'indirect jump', 'indirect call', 'return'),
  to: fc.nat(FRAGMENTS - 1),
});
type Fragment = typeof fragment extends fc.Arbitrary<infer T> ? T : never;

/** Fragments lie one behind the other; the second half of them in the next page. */
function placeOf(index: number): number {
  const page = index < FRAGMENTS / 2 ? 0 : 0x1000;
  return CODE + page + index * FRAGMENT_BYTES;
}

function fragmentAt(index: number, { body, exit, to }: Fragment): Piece {
  const at = placeOf(index);
  const bytes = body.flat();
  const indirect = dword(TABLE);
  const relative = (opcode: readonly number[]): number[] => {
    const end = at + bytes.length + opcode.length + 4;
    return [...opcode, ...dword(placeOf(to) - end)];
  };
  const exits: Record<Exit, () => number[]> = {
    jump: () => relative([0xe9]),
    branch: () => relative([0x0f, 0x85]),
    call: () => relative([0xe8]),
    'indirect jump': () => [...AND_ECX_3, 0xff, 0x24, 0x8d, ...indirect],
    'indirect call': () => [...AND_ECX_3, 0xff, 0x14, 0x8d, ...indirect],
    return: () => [0xc3],
  };
  const leaves = exits[exit]();
  // What a call returns to, and a branch not taken goes on with: the next fragment.
  const onward = at + bytes.length + leaves.length + 5;
  const next = [0xe9, ...dword(placeOf((index + 1) % FRAGMENTS) - onward)];
  return { at, bytes: [...bytes, ...leaves, ...next].map((byte) => byte & 0xff) };
}

describe('compiled code is in every state where the interpreter is', () => {
  test('with interrupts and faults where it has them', () => {
    fc.assert(
      fc.property(start, body, circumstances, (at, instructions, program) => {
        expectSameRuns([loopAt(at, instructions)], program);
      }),
      { numRuns: RUNS },
    );
  });

  test('where an x87 instruction freezes the processor, with an exception of one before it', () => {
    // FLD1, INC EAX and INC ECX for ever: the register stack overflows at the ninth, which nobody masks.
    const loop = loopAt(CODE, [[0xd9, 0xe8], [0x40], [0x41]]);
    fc.assert(
      fc.property(circumstances, (program) => expectSameRuns([loop], program)),
      {
        numRuns: 20,
      },
    );
  });

  test('through calls, returns and jumps by a table, within a page and out of it', () => {
    fc.assert(
      fc.property(
        fc.array(fragment, { minLength: FRAGMENTS, maxLength: FRAGMENTS }),
        circumstances,
        (fragments, program) => {
          const table = [0, 1, 2, FRAGMENTS - 1].flatMap((index) => dword(placeOf(index)));
          const pieces = fragments.map((one, index) => fragmentAt(index, one));
          expectSameRuns([...pieces, { at: TABLE, bytes: table }], program);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
