import { expect, test } from 'vitest';
import { EFLAGS_ARITHMETIC, EFLAGS_RESERVED1, EFLAGS_ZF } from '../../../src/cpu/eflags.js';
import { VECTOR_GP, VECTOR_PF, VECTOR_UD } from '../../../src/cpu/fault.js';
import { setSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import { cmpxchg8b_Mq } from '../../../src/cpu/system/compare-exchange8.js';
import { atMemory, DATA, DATA0, faults, instruction, TestProcessor } from './processor.js';

function withOperands(edx: number, eax: number): TestProcessor {
  const p = new TestProcessor();
  p.state.set(L.EDX, edx);
  p.state.set(L.EAX, eax);
  p.state.set(L.ECX, 0x33333333);
  p.state.set(L.EBX, 0x44444444);
  p.poke(DATA, 4, 0x0a0b0c0d);
  p.poke(DATA + 4, 4, 0x01020304);
  return p;
}

test('an equal destination takes ECX:EBX and sets ZF alone', () => {
  const p = withOperands(0x01020304, 0x0a0b0c0d);
  expect(p.execute(cmpxchg8b_Mq, atMemory(DATA))).toBe('done');
  expect([p.dword(DATA + 4), p.dword(DATA)]).toEqual([0x33333333, 0x44444444]);
  expect(p.eflags).toBe(EFLAGS_ZF | EFLAGS_RESERVED1);
});

test.each([
  ['upper', 0x01020305, 0x0a0b0c0d],
  ['lower', 0x01020304, 0x0a0b0c0e],
])('one that differs in the %s half is loaded into EDX:EAX and clears ZF alone', (_, edx, eax) => {
  const p = withOperands(edx, eax);
  p.eflags = EFLAGS_ARITHMETIC;
  expect(p.execute(cmpxchg8b_Mq, atMemory(DATA))).toBe('done');
  expect([p.state.get(L.EDX), p.state.get(L.EAX)]).toEqual([0x01020304, 0x0a0b0c0d]);
  expect(p.dword(DATA)).toBe(0x0a0b0c0d);
  expect(p.eflags).toBe((EFLAGS_ARITHMETIC & ~EFLAGS_ZF) | EFLAGS_RESERVED1);
});

test('the destination must be writable even when it differs', () => {
  const p = withOperands(0, 0);
  p.enablePaging();
  p.makeReadOnly(DATA);
  expect(p.execute(cmpxchg8b_Mq, atMemory(DATA))).toEqual(faults(VECTOR_PF, 3));
});

test('a second half on an absent page leaves the first as it was', () => {
  const p = withOperands(0, 0);
  p.enablePaging();
  p.unmap(0xb000);
  expect(p.execute(cmpxchg8b_Mq, atMemory(0xaffc))).toEqual(faults(VECTOR_PF, 2));
});

test('all eight bytes must lie within the segment', () => {
  const p = withOperands(0, 0);
  setSegment(p.core, L.SEG_DS, DATA0, 0, DATA + 6, 0x4093);
  expect(p.execute(cmpxchg8b_Mq, atMemory(DATA))).toEqual(faults(VECTOR_GP));
});

test('the register form is #UD', () => {
  expect(new TestProcessor().execute(cmpxchg8b_Mq, instruction())).toEqual(faults(VECTOR_UD));
});
