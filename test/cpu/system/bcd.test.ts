import { describe, expect, test } from 'vitest';
import { EFLAGS_AF, EFLAGS_ARITHMETIC, EFLAGS_CF } from '../../../src/cpu/eflags.js';
import { VECTOR_DE } from '../../../src/cpu/fault.js';
import { aaa, aad_Ib, aam_Ib, aas, daa, das } from '../../../src/cpu/system/bcd.js';
import type { Procedure } from '../../../src/cpu/system/procedure.js';
import { faults, instruction, TestProcessor } from './processor.js';

const PROCEDURES: Readonly<Record<string, Procedure>> = {
  aaa,
  aad: aad_Ib,
  aam: aam_Ib,
  aas,
  daa,
  das,
};

const p = new TestProcessor();

function adjust(procedure: Procedure, ax: number, eflags: number, immediate = 10) {
  p.state.setReg32(0, ax);
  p.eflags = eflags;
  procedure(p.core, instruction({ length: 2, immediate }));
  return { ax: p.state.reg32(0), eflags: p.eflags & EFLAGS_ARITHMETIC };
}

/** What ADD or SUB of two bytes leaves in AL, CF and AF. */
function afterSum(left: number, right: number, sign: 1 | -1): { al: number; eflags: number } {
  const sum = left + sign * right;
  let eflags = 0;
  if (sum < 0 || sum > 0xff) eflags |= EFLAGS_CF;
  if ((left ^ right ^ sum) & 0x10) eflags |= EFLAGS_AF;
  return { al: sum & 0xff, eflags };
}

const packed = (value: number): number => (Math.trunc(value / 10) << 4) | (value % 10);

describe('decimal arithmetic', () => {
  test('DAA after the sum of any two packed numbers gives the packed sum and its carry', () => {
    const wrong: number[][] = [];
    for (let left = 0; left < 100; left++) {
      for (let right = 0; right < 100; right++) {
        const { al, eflags } = afterSum(packed(left), packed(right), 1);
        const result = adjust(daa, al, eflags);
        const carry = left + right > 99 ? EFLAGS_CF : 0;
        const isRight =
          result.ax === packed((left + right) % 100) && (result.eflags & EFLAGS_CF) === carry;
        if (!isRight) wrong.push([left, right]);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('DAS after the difference of any two packed numbers gives the packed difference and its borrow', () => {
    const wrong: number[][] = [];
    for (let left = 0; left < 100; left++) {
      for (let right = 0; right < 100; right++) {
        const { al, eflags } = afterSum(packed(left), packed(right), -1);
        const result = adjust(das, al, eflags);
        const carry = left < right ? EFLAGS_CF : 0;
        const isRight =
          result.ax === packed((left - right + 100) % 100) && (result.eflags & EFLAGS_CF) === carry;
        if (!isRight) wrong.push([left, right]);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('AAA and AAS carry one digit into AH', () => {
    for (let left = 0; left < 10; left++) {
      for (let right = 0; right < 10; right++) {
        const sum = afterSum(left, right, 1);
        expect(adjust(aaa, 0x0500 | sum.al, sum.eflags).ax).toBe(
          left + right > 9 ? 0x0600 | (left + right - 10) : 0x0500 | (left + right),
        );
        const difference = afterSum(left, right, -1);
        expect(adjust(aas, 0x0500 | difference.al, difference.eflags).ax).toBe(
          left < right ? 0x0400 | (left - right + 10) : 0x0500 | (left - right),
        );
      }
    }
  });

  test("AAD undoes AAM in any base that isn't zero", () => {
    for (const base of [2, 7, 10, 16, 255]) {
      for (let value = 0; value < 256; value++) {
        const digits = adjust(aam_Ib, value, 0, base).ax;
        expect(digits).toBe((Math.trunc(value / base) << 8) | (value % base));
        expect(adjust(aad_Ib, digits, 0, base).ax).toBe(value);
      }
    }
  });

  test('AAM with base zero is #DE', () => {
    p.state.setReg32(0, 0x1234);
    expect(p.execute(aam_Ib, instruction({ immediate: 0 }))).toEqual(faults(VECTOR_DE));
  });
});

/** Instruction, immediate, AX and flags before, AX and flags after, as an AMD EPYC (family 25) has them. */
// biome-ignore format: table
const MEASURED: readonly (readonly [string, number, number, number, number, number])[] = [
  ['aaa', 0x00, 0x0000, 0x884, 0x0000, 0x044],
  ['aaa', 0x00, 0x0000, 0x8d5, 0x0106, 0x015],
  ['aaa', 0x00, 0x6103, 0x041, 0x6103, 0x004],
  ['aaa', 0x00, 0x6549, 0x855, 0x660f, 0x011],
  ['aaa', 0x00, 0x93f2, 0x090, 0x9408, 0x091],
  ['aaa', 0x00, 0xb617, 0x8d5, 0xb70d, 0x095],
  ['aad', 0x00, 0x4d4c, 0x000, 0x004c, 0x000],
  ['aad', 0x01, 0x0000, 0x0c4, 0x0000, 0x044],
  ['aad', 0x02, 0xff96, 0x041, 0x0094, 0x091],
  ['aad', 0x10, 0xffff, 0x8d5, 0x00ef, 0x081],
  ['aad', 0xf8, 0xffff, 0x8d5, 0x0007, 0x011],
  ['aad', 0xff, 0xffff, 0x8c4, 0x0000, 0x055],
  ['aam', 0x0a, 0x003f, 0x8d5, 0x0603, 0x004],
  ['aam', 0x0a, 0xffb8, 0x8c0, 0x1204, 0x000],
  ['aam', 0xff, 0xffff, 0x000, 0x0100, 0x044],
  ['aas', 0x00, 0x0080, 0x880, 0x0000, 0x000],
  ['aas', 0x00, 0x22fe, 0x000, 0x2108, 0x011],
  ['aas', 0x00, 0x3fff, 0x891, 0x3e09, 0x015],
  ['aas', 0x00, 0x8000, 0x000, 0x8000, 0x084],
  ['aas', 0x00, 0xf8c8, 0x8d5, 0xf702, 0x091],
  ['aas', 0x00, 0xffff, 0x8d5, 0xfe09, 0x095],
  ['daa', 0x00, 0x0000, 0x000, 0x0000, 0x044],
  ['daa', 0x00, 0x0003, 0x000, 0x0003, 0x004],
  ['daa', 0x00, 0x0019, 0x850, 0x001f, 0x010],
  ['daa', 0x00, 0x5aea, 0x000, 0x5a50, 0x015],
  ['daa', 0x00, 0xc1e6, 0x8d5, 0xc14c, 0x011],
  ['daa', 0x00, 0xc3d8, 0x000, 0xc338, 0x001],
  ['das', 0x00, 0x0000, 0x000, 0x0000, 0x044],
  ['das', 0x00, 0x0000, 0x0d5, 0x009a, 0x095],
  ['das', 0x00, 0x0001, 0x090, 0x00fb, 0x091],
  ['das', 0x00, 0x3040, 0x044, 0x3040, 0x000],
  ['das', 0x00, 0xe10a, 0x880, 0xe104, 0x010],
  ['das', 0x00, 0xffc9, 0x001, 0xff69, 0x805],
];

test.each(MEASURED)(
  '%s, immediate %i, gives all six flags as the processor does (case %#)',
  (name, immediate, ax, eflags, axAfter, eflagsAfter) => {
    expect(adjust(PROCEDURES[name], ax, eflags, immediate)).toEqual({
      ax: axAfter,
      eflags: eflagsAfter,
    });
  },
);
