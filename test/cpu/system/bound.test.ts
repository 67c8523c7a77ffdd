import { expect, test } from 'vitest';
import { VECTOR_BR, VECTOR_PF, VECTOR_UD } from '../../../src/cpu/fault.js';
import { bound_Gv_Ma } from '../../../src/cpu/system/bound.js';
import { atMemory, DATA, faults, instruction, TestProcessor } from './processor.js';

const EDX = 2;

test('BOUND is #BR below the lower and above the upper limit, and nothing on them', () => {
  const p = new TestProcessor();
  p.poke(DATA, 4, -5);
  p.poke(DATA + 4, 4, 7);
  const outcomes = [-6, -5, 0, 7, 8].map((index) => {
    p.state.setReg32(EDX, index);
    return p.execute(bound_Gv_Ma, atMemory(DATA, { reg: EDX }));
  });
  const isOut = faults(VECTOR_BR);
  expect(outcomes).toEqual([isOut, 'done', 'done', 'done', isOut]);
});

test('with an operand size of 16 the limits and the index are signed words', () => {
  const p = new TestProcessor();
  p.poke(DATA, 2, -1);
  p.poke(DATA + 2, 2, 1);
  const insn = atMemory(DATA, { reg: EDX, operandSize: 2 });
  p.state.setReg32(EDX, 0x7fffffff);
  expect(p.execute(bound_Gv_Ma, insn)).toBe('done');
  p.state.setReg32(EDX, 2);
  expect(p.execute(bound_Gv_Ma, insn)).toEqual(faults(VECTOR_BR));
});

test('the register form is #UD', () => {
  expect(new TestProcessor().execute(bound_Gv_Ma, instruction())).toEqual(faults(VECTOR_UD));
});

test('an upper limit on an absent page is #PF', () => {
  const p = new TestProcessor();
  p.enablePaging();
  p.unmap(0xb000);
  expect(p.execute(bound_Gv_Ma, atMemory(0xaffc))).toEqual(faults(VECTOR_PF, 0));
});
