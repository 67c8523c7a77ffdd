import { expect, test } from 'vitest';
import { readEflags } from '../../src/cpu/eflags.js';
import { resetState } from '../../src/cpu/reset.js';
import { codeLinear, linearForWrite } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import { bareCore, enterUser } from './support/bare-core.js';

// Intel SDM vol. 3A, table 9-1.
test('after a reset the processor is where the manual says, whatever it was', () => {
  const core = bareCore();
  enterUser(core);
  core.state.u8.fill(0xa5, 0, 0x20);
  core.state.set(L.NMI_BLOCKED, 1);
  resetState(core);
  const { state } = core;
  expect(codeLinear(core, state.eip) >>> 0).toBe(0xfffffff0);
  expect(state.selector(L.SEG_CS)).toBe(0xf000);
  expect(readEflags(state)).toBe(2);
  expect(state.cr0 >>> 0).toBe(0x60000010);
  expect([state.get(L.DR6) >>> 0, state.get(L.DR7)]).toEqual([0xffff0ff0, 0x400]);
  expect([state.cpl, state.get(L.MODE), state.get(L.NMI_BLOCKED)]).toEqual([0, 0, 0]);
  expect([state.get(L.EAX), state.esp, state.get(L.CR3), state.get(L.CR4)]).toEqual([0, 0, 0, 0]);
  expect([state.get(L.IDTR_BASE), state.get(L.IDTR_LIMIT)]).toEqual([0, 0xffff]);
  expect(linearForWrite(core, L.SEG_DS, 0xfffc, 4)).toBe(0xfffc);
  expect(core.instant).toBe(0);
});
