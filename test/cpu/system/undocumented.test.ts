import { expect, test } from 'vitest';
import { EFLAGS_ARITHMETIC, EFLAGS_CF, EFLAGS_RESERVED1 } from '../../../src/cpu/eflags.js';
import { VECTOR_UD } from '../../../src/cpu/fault.js';
import * as L from '../../../src/cpu/state-layout.js';
import { icebp, salc, ud } from '../../../src/cpu/system/undocumented.js';
import { CODE, CODE0, faults, instruction, STACK, TestProcessor } from './processor.js';

const IDT = 0x5000;

test('SALC fills AL with CF and changes no flag', () => {
  const p = new TestProcessor();
  p.state.set(L.EAX, 0x12345678);
  p.eflags = EFLAGS_ARITHMETIC;
  p.execute(salc);
  expect(p.state.get(L.EAX)).toBe(0x123456ff);
  expect(p.eflags).toBe(EFLAGS_ARITHMETIC | EFLAGS_RESERVED1);
  p.eflags = EFLAGS_ARITHMETIC & ~EFLAGS_CF;
  p.execute(salc);
  expect(p.state.get(L.EAX)).toBe(0x12345600);
});

test('UD2 is #UD', () => {
  expect(new TestProcessor().execute(ud)).toEqual(faults(VECTOR_UD));
});

/** A 32-bit interrupt gate of DPL 0 for vector 1. */
function withDebugGate(handler: number): TestProcessor {
  const p = new TestProcessor();
  p.state.set(L.IDTR_BASE, IDT);
  p.state.set(L.IDTR_LIMIT, 0x7ff);
  p.poke(IDT + 8, 4, (CODE0 << 16) | handler);
  p.poke(IDT + 12, 4, 0x8e00);
  return p;
}

test('ICEBP enters the handler of #DB with EIP after it, DR6 as it was', () => {
  const p = withDebugGate(0x7000);
  const dr6 = p.state.get(L.DR6);
  expect(p.transfer(icebp, instruction())).toBe('done');
  expect(p.state.eip).toBe(0x7000);
  expect(p.dword(STACK - 12)).toBe(CODE + 1);
  expect(p.state.get(L.DR6)).toBe(dr6);
  expect(p.state.get(L.PENDING_DEBUG)).toBe(0);
});

test('ICEBP is not checked against the DPL of the gate', () => {
  const p = withDebugGate(0x7000);
  p.poke(0x2000 + 4, 4, STACK);
  p.poke(0x2000 + 8, 4, 0x10);
  p.enterUserMode();
  expect(p.transfer(icebp, instruction())).toBe('done');
  expect(p.state.eip).toBe(0x7000);
  expect(p.state.cpl).toBe(0);
});
