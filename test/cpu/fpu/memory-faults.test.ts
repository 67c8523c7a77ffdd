/** A memory operand that faults leaves everything as it was; TestProcessor checks that at each fault. */
import { describe, expect, test } from 'vitest';
import { CR0_AM } from '../../../src/cpu/control-registers.js';
import { EFLAGS_AC } from '../../../src/cpu/eflags.js';
import { VECTOR_AC, VECTOR_GP, VECTOR_PF } from '../../../src/cpu/fault.js';
import { setSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import { updateAlignmentCheck } from '../../../src/cpu/system/alignment.js';
import { DATA, DATA0, faults } from '../system/processor.js';
import { FLD1, FpuProcessor, memory } from './fpu-processor.js';

/** Opcode, reg, bytes, and whether it writes. */
// biome-ignore format: table
const FORMS: readonly (readonly [string, number, number, number, boolean])[] = [
  ['FADD m32',   0xd8, 0,   4, false],
  ['FCOMP m64',  0xdc, 3,   8, false],
  ['FIDIV m16',  0xde, 6,   2, false],
  ['FLD m32',    0xd9, 0,   4, false],
  ['FLD m64',    0xdd, 0,   8, false],
  ['FLD m80',    0xdb, 5,  10, false],
  ['FILD m64',   0xdf, 5,   8, false],
  ['FBLD',       0xdf, 4,  10, false],
  ['FST m32',    0xd9, 2,   4, true],
  ['FSTP m64',   0xdd, 3,   8, true],
  ['FSTP m80',   0xdb, 7,  10, true],
  ['FISTP m16',  0xdf, 3,   2, true],
  ['FISTP m64',  0xdf, 7,   8, true],
  ['FBSTP',      0xdf, 6,  10, true],
  ['FLDCW',      0xd9, 5,   2, false],
  ['FNSTCW',     0xd9, 7,   2, true],
  ['FNSTSW',     0xdd, 7,   2, true],
  ['FLDENV',     0xd9, 4,  28, false],
  ['FNSTENV',    0xd9, 6,  28, true],
  ['FRSTOR',     0xdd, 4, 108, false],
  ['FNSAVE',     0xdd, 6, 108, true],
];

function processor(): FpuProcessor {
  const p = new FpuProcessor();
  // Inexact where it is converted, so that a fault could leave flags behind.
  p.load('3fff:aaaaaaaaaaaaaaab');
  p.run(FLD1);
  p.load('3fff:aaaaaaaaaaaaaaab');
  return p;
}

const PAGE = 0x1000;

describe.each(FORMS)('%s', (_, opcode, reg, bytes, isWrite) => {
  test('faults where its last byte is in a page that is not there', () => {
    const p = processor();
    p.enablePaging();
    p.unmap(DATA + PAGE);
    const at = DATA + PAGE - bytes + 1;
    expect(p.run(memory(opcode, reg, at))).toEqual(faults(VECTOR_PF, isWrite ? 2 : 0));
    expect(p.run(memory(opcode, reg, at - 1))).toBe('done');
  });

  test('faults where its first byte is in one', () => {
    const p = processor();
    p.enablePaging();
    p.unmap(DATA);
    const at = DATA + PAGE - 1;
    expect(p.run(memory(opcode, reg, at))).toEqual(faults(VECTOR_PF, isWrite ? 2 : 0));
  });

  test('faults beyond the limit of its segment, in one piece', () => {
    const p = processor();
    setSegment(p.core, L.SEG_DS, DATA0, 0, DATA + bytes - 1, 0x4093);
    expect(p.run(memory(opcode, reg, DATA + 1))).toEqual(faults(VECTOR_GP));
    expect(p.run(memory(opcode, reg, DATA))).toBe('done');
  });
});

test.each([
  ['FLD m64', 0xdd, 0],
  ['FSTP m64', 0xdd, 3],
  ['FLD m80', 0xdb, 5],
  ['FISTP m64', 0xdf, 7],
])('%s is #AC at an address that is no multiple of 8', (_, opcode, reg) => {
  const p = processor();
  p.enterUserMode();
  p.state.set(L.CR0, p.state.cr0 | CR0_AM);
  p.eflags = EFLAGS_AC;
  updateAlignmentCheck(p.core);
  expect(p.run(memory(opcode, reg, DATA + 4))).toEqual(faults(VECTOR_AC));
  expect(p.run(memory(opcode, reg, DATA + 8))).toBe('done');
});
