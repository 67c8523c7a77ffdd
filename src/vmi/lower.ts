/** Taking the processor away from a kernel that has it. */
import { accessDpl, isNullSelector } from '../cpu/descriptors.js';
import { EFLAGS_IF, EFLAGS_IOPL, writeEflags } from '../cpu/eflags.js';
import { setCpl, setSegment } from '../cpu/segmentation.js';
import * as L from '../cpu/state-layout.js';
import { type GuestCpu, readKernelStack } from './emulate.js';
import { truncatedLimit } from './guest-descriptors.js';
import { KERNEL_CPL, REAL_GDT, REAL_IDT, REAL_IDT_LIMIT } from './layout.js';

const DPL_SHIFT = 5;

/**
 * Makes a kernel of CPL 0, in protected mode, one of CPL 1. Virtual IF becomes what IF was.
 * @throws fault #PF where the TSS can't be read, with nothing changed.
 */
export function lowerGuest({ core, guest, shared }: GuestCpu): void {
  const { state } = core;
  if (!isNullSelector(state.selector(L.SEG_TR))) readKernelStack(core, guest);
  for (const segment of [L.SEG_CS, L.SEG_SS, L.SEG_DS, L.SEG_ES, L.SEG_FS, L.SEG_GS] as const) {
    const access = state.segmentAccess(segment);
    if (accessDpl(access) !== 0 || access === 0) continue;
    const base = state.segmentBase(segment);
    const limit = truncatedLimit(base >>> 0, state.segmentLimit(segment) >>> 0);
    const raised = access | (KERNEL_CPL << DPL_SHIFT);
    setSegment(core, segment, state.selector(segment) | KERNEL_CPL, base, limit, raised);
  }
  setCpl(core, KERNEL_CPL);
  guest.gdtBase = state.get(L.GDTR_BASE);
  guest.idtBase = state.get(L.IDTR_BASE);
  guest.idtLimit = state.get(L.IDTR_LIMIT);
  guest.sysenterCs = state.get(L.MSR_SYSENTER_CS);
  shared.interruptFlag = (state.get(L.FLAG_SYSTEM) & EFLAGS_IF) !== 0;
  shared.cr0 = state.cr0;
  writeEflags(state, EFLAGS_IF, EFLAGS_IF | EFLAGS_IOPL);
  state.set(L.MSR_SYSENTER_CS, 0);
  state.set(L.GDTR_BASE, REAL_GDT | 0);
  state.set(L.IDTR_BASE, REAL_IDT | 0);
  state.set(L.IDTR_LIMIT, REAL_IDT_LIMIT);
}
