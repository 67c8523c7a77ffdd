/**
 * Task switches of the guest's, by the processor itself or through a task gate of the guest's IDT. What a
 * TSS says of IF, IOPL and the CPL is virtual here, as it is in frames.
 *
 * Deviation: what hypervisors of that time made of them is not known to us. They are carried out.
 */
import { CR0_TS } from '../cpu/control-registers.js';
import { SELECTOR_RPL } from '../cpu/descriptors.js';
import { EFLAGS_IF, EFLAGS_IOPL, EFLAGS_IOPL_SHIFT, EFLAGS_VM } from '../cpu/eflags.js';
import type { TaskSwitch } from '../cpu/interceptor.js';
import * as L from '../cpu/state-layout.js';
import { type GuestCpu, takeKernelStack } from './emulate.js';
import { KERNEL_CPL } from './layout.js';

/** Has both tasks see what they would see at CPL 0. @throws fault #PF, with nothing changed. */
export function virtualizeSwitch({ core, guest, shared }: GuestCpu, change: TaskSwitch): void {
  const { incoming } = change;
  takeKernelStack(core, guest, change.base, change.is32);
  change.eflags =
    (change.eflags & ~(EFLAGS_IF | EFLAGS_IOPL)) |
    (guest.iopl << EFLAGS_IOPL_SHIFT) |
    (shared.interruptFlag ? EFLAGS_IF : 0);
  shared.interruptFlag = (incoming.eflags & EFLAGS_IF) !== 0;
  guest.iopl = (incoming.eflags & EFLAGS_IOPL) >>> EFLAGS_IOPL_SHIFT;
  shared.cr0 = core.state.cr0 | CR0_TS;
  if ((incoming.eflags & EFLAGS_VM) === 0) {
    for (const segment of [L.SEG_CS, L.SEG_SS] as const) raiseSelector(incoming.selectors, segment);
  }
  incoming.eflags = (incoming.eflags | EFLAGS_IF) & ~EFLAGS_IOPL;
}

function raiseSelector(selectors: Int32Array, segment: number): void {
  if ((selectors[segment] & SELECTOR_RPL) === 0) selectors[segment] |= KERNEL_CPL;
}
