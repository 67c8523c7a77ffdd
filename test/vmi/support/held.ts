/** What no guest of a hypervisor may bring about, whatever it does. */
import * as L from '../../../src/cpu/state-layout.js';
import type { Machine } from '../../../src/machine/machine.js';
import { REAL_GDT, REAL_IDT } from '../../../src/vmi/layout.js';

const EFLAGS_IF = 0x200;
const EFLAGS_IOPL = 0x3000;

/** @throws Error where the guest has the processor to itself. */
export function checkHeld(machine: Machine, name: string): void {
  const { state } = machine.cpu.core;
  const flags = state.get(L.FLAG_SYSTEM);
  const isHeld =
    state.cpl !== 0 &&
    (flags & EFLAGS_IF) !== 0 &&
    (flags & EFLAGS_IOPL) === 0 &&
    state.get(L.GDTR_BASE) === (REAL_GDT | 0) &&
    state.get(L.IDTR_BASE) === (REAL_IDT | 0) &&
    state.get(L.MSR_SYSENTER_CS) === 0;
  const eip = (state.eip >>> 0).toString(16);
  if (!isHeld) throw new Error(`${name}: the guest has got out, EIP ${eip}h`);
}
