import { expect, test } from 'vitest';
import { CR4_DE, DR6_BD, DR7_GD } from '../../../src/cpu/control-registers.js';
import { VECTOR_DB, VECTOR_GP, VECTOR_UD } from '../../../src/cpu/fault.js';
import * as L from '../../../src/cpu/state-layout.js';
import { mov_Dd_Rd, mov_Rd_Dd } from '../../../src/cpu/system/debug-register-moves.js';
import { faults, instruction, type Outcome, TestProcessor } from './processor.js';

const ECX = 1;

function write(p: TestProcessor, register: number, value: number): Outcome {
  p.state.setReg32(ECX, value);
  return p.execute(mov_Dd_Rd, instruction({ reg: register, rm: ECX }));
}

function read(p: TestProcessor, register: number): number {
  expect(p.execute(mov_Rd_Dd, instruction({ reg: register, rm: ECX }))).toBe('done');
  return p.state.reg32(ECX) >>> 0;
}

test('DR0 to DR3 hold linear addresses, and the run loop looks again after a write', () => {
  const p = new TestProcessor();
  for (const register of [0, 1, 2, 3]) {
    expect(write(p, register, 0x1000 * register + 7)).toBe('done');
  }
  expect([0, 1, 2, 3].map((register) => read(p, register))).toEqual([7, 0x1007, 0x2007, 0x3007]);
  expect(p.attentions).toBe(4);
});

test('reserved bits of DR6 and DR7 keep their fixed values', () => {
  const p = new TestProcessor();
  write(p, 6, 0);
  expect(read(p, 6)).toBe(0xffff0ff0);
  write(p, 6, -1);
  expect(read(p, 6)).toBe(0xffffefff);
  write(p, 7, 0);
  expect(read(p, 7)).toBe(0x400);
  write(p, 7, ~DR7_GD);
  expect(read(p, 7)).toBe(0xffff07ff);
});

test('DR4 and DR5 are DR6 and DR7 while CR4.DE is clear, and #UD while it is set', () => {
  const p = new TestProcessor();
  expect(write(p, 5, 0x55)).toBe('done');
  expect(p.state.get(L.DR7)).toBe(0x455);
  expect(read(p, 4)).toBe(0xffff0ff0);
  p.state.set(L.CR4, CR4_DE);
  expect(write(p, 5, 0)).toEqual(faults(VECTOR_UD));
  expect(write(p, 4, 0)).toEqual(faults(VECTOR_UD));
  expect(write(p, 7, 0)).toBe('done');
});

test('any access is #GP(0) outside CPL 0', () => {
  const p = new TestProcessor();
  p.enterUserMode();
  expect(write(p, 0, 0)).toEqual(faults(VECTOR_GP));
  expect(p.execute(mov_Rd_Dd, instruction({ reg: 7 }))).toEqual(faults(VECTOR_GP));
});

test('while DR7.GD is set any access is #DB with DR6.BD, and changes nothing else', () => {
  const p = new TestProcessor();
  expect(write(p, 7, DR7_GD)).toBe('done');
  expect(write(p, 7, 0)).toEqual(faults(VECTOR_DB));
  expect(p.execute(mov_Rd_Dd, instruction({ reg: 0 }))).toEqual(faults(VECTOR_DB));
  expect(p.state.get(L.DR6) & DR6_BD).not.toBe(0);
  expect(p.state.get(L.DR7)).toBe(DR7_GD | 0x400);
});

test('outside CPL 0 DR7.GD does not matter: #GP(0)', () => {
  const p = new TestProcessor();
  write(p, 7, DR7_GD);
  p.enterUserMode();
  expect(write(p, 7, 0)).toEqual(faults(VECTOR_GP));
  expect(p.state.get(L.DR6) & DR6_BD).toBe(0);
});
