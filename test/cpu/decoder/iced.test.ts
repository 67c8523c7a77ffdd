import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareAll } from './iced-comparison.js';
import { DECODER_DIFFERENCES } from './iced-differences.js';

const ONE_BYTE = Array.from({ length: 0x100 }, (_, opcode) => [opcode]);
const TWO_BYTE = Array.from({ length: 0x100 }, (_, opcode) => [0x0f, opcode]);
const PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];
const OPCODES = [
  ...ONE_BYTE.filter(([opcode]) => opcode !== 0x0f && !PREFIXES.includes(opcode)),
  ...TWO_BYTE,
];
/** Bytes behind ModRM and SIB, all different, some of them negative. */
const TAIL = [0x81, 0x12, 0xa3, 0x34, 0xc5, 0x56, 0xe7, 0x78];

/** Compares, fails on differences that aren't in the table, and returns the names of those that are. */
function expectAgreement(encodings: readonly (readonly number[])[]): Set<string> {
  const surprises: string[] = [];
  const met = new Set<string>();
  for (const bits of [16, 32] as const) {
    compareAll(encodings, bits, ({ pair, text }) => {
      const known = DECODER_DIFFERENCES.find((row) => row.appliesTo(pair));
      const hex = Buffer.from(pair.bytes).toString('hex');
      if (known === undefined) surprises.push(`${bits} bits, ${hex}: ${text}`);
      else met.add(known.name);
    });
  }
  expect(surprises.slice(0, 10)).toEqual([]);
  return met;
}

/** All ModRM bytes; each comes with a SIB byte of its own, so that an opcode meets all 256. */
function allModrm(prefixes: readonly number[], opcode: readonly number[]): number[][] {
  return Array.from({ length: 256 }, (_, modrm) => {
    const sib = (modrm * 37 + opcode[opcode.length - 1] * 11) & 0xff;
    return [...prefixes, ...opcode, modrm, sib, ...TAIL];
  });
}

test('every opcode with every ModRM byte has the length and the operands that iced-x86 finds', () => {
  const REPNE = 0xf2;
  const met = expectAgreement(
    OPCODES.flatMap((opcode) => [...allModrm([], opcode), ...allModrm([REPNE], opcode)]),
  );
  expect([...met].sort()).toEqual(DECODER_DIFFERENCES.map(({ name }) => name).sort());
});

test.each(PREFIXES)('so has every opcode with every ModRM byte behind prefix %i', (prefix) => {
  expectAgreement(OPCODES.flatMap((opcode) => allModrm([prefix], opcode)));
});

test('every SIB byte behind every ModRM byte, with and without an immediate, decodes alike', () => {
  const MOV = [0x8b];
  const LEA = [0x8d];
  const ADD_IMMEDIATE = [0x81];
  const MOVZX = [0x0f, 0xb6];
  const encodings: number[][] = [];
  for (const opcode of [MOV, LEA, ADD_IMMEDIATE, MOVZX]) {
    for (let modrm = 0; modrm < 0x100; modrm++) {
      for (let sib = 0; sib < 0x100; sib++) encodings.push([...opcode, modrm, sib, ...TAIL]);
    }
  }
  expectAgreement(encodings);
});

test('prefixes in any number and order decode alike, to the 15th byte and beyond', () => {
  const encoding = fc
    .tuple(
      fc.array(fc.constantFrom(...PREFIXES), { maxLength: 14 }),
      fc.constantFrom(...OPCODES),
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
    )
    .map(([prefixes, opcode, tail]) => [...prefixes, ...opcode, ...tail]);
  fc.assert(
    fc.property(encoding, (bytes) => {
      expectAgreement([bytes]);
    }),
    { numRuns: 20_000 },
  );
});
