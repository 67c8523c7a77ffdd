/** What gdb shows of the hypervisor. */
import { expect, test } from 'vitest';
import { readRegister } from '../../src/gdbstub/guest-registers.js';
import { i386Register } from '../../src/gdbstub/i386-registers.js';
import { Guest } from './support/guest.js';

function shown(guest: Guest): number[] {
  return ['vif', 'vpend'].map((name) => readRegister(guest.machine, i386Register(name))[0]);
}

test('$vif is virtual IF, $vpend that an interrupt waits for it', () => {
  const guest = new Guest([0x90, 0x90, 0xfb, 0x90, 0xeb, 0xfe], { scheme: 'rollforward' });
  expect(shown(guest)).toEqual([0, 0]);
  guest.raise();
  guest.step();
  expect(shown(guest)).toEqual([0, 1]);
  guest.step(2);
  expect(shown(guest)[0]).toBe(1);
});

test('on bare hardware both are 0', () => {
  const guest = new Guest([0xfb, 0x90, 0xeb, 0xfe], { scheme: null });
  guest.step(2);
  expect(shown(guest)).toEqual([0, 0]);
});
