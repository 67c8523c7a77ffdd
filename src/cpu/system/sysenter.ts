/** SYSENTER and SYSEXIT: flat segments from the MSRs, no memory touched. Intel SDM vol. 2, vol. 3A §5.8.7. */
import { CR0_PE } from '../control-registers.js';
import type { Core } from '../core.js';
import { isNullSelector } from '../descriptors.js';
import { EFLAGS_IF, EFLAGS_VM } from '../eflags.js';
import { raise, VECTOR_GP } from '../fault.js';
import { setCpl, setSegment } from '../segmentation.js';
import type { SegmentIndex } from '../state.js';
import * as L from '../state-layout.js';

/** Present, granularity 4 KiB, 32 bits: code that is read and executed, data that is written. */
const FLAT_CODE = 0xc09b;
const FLAT_DATA = 0xc093;

/**
 * 0F 34  SYSENTER: to CPL 0 with IF and VM clear. It saves nothing.
 * @throws fault #GP(0) outside protected mode and where IA32_SYSENTER_CS is null.
 */
export function sysenter(core: Core): void {
  const { state } = core;
  const selector = requireSelector(core);
  state.set(L.FLAG_SYSTEM, state.get(L.FLAG_SYSTEM) & ~(EFLAGS_VM | EFLAGS_IF));
  state.esp = state.get(L.MSR_SYSENTER_ESP);
  state.eip = state.get(L.MSR_SYSENTER_EIP);
  setFlat(core, L.SEG_CS, selector & 0xfffc, FLAT_CODE, 0);
  setFlat(core, L.SEG_SS, (selector & 0xfffc) + 8, FLAT_DATA, 0);
  setCpl(core, 0);
}

/**
 * 0F 35  SYSEXIT: to CPL 3 at EDX, with the stack at ECX. EFLAGS stay as they are, so after STI an
 * interrupt that waits is taken before the first instruction at CPL 3.
 * @throws fault #GP(0) unless CPL is 0, and where IA32_SYSENTER_CS is null.
 */
export function sysexit(core: Core): void {
  const { state } = core;
  const selector = requireSelector(core);
  if (state.cpl !== 0) raise(VECTOR_GP);
  state.esp = state.get(L.ECX);
  state.eip = state.get(L.EDX);
  setFlat(core, L.SEG_CS, ((selector & 0xfffc) + 16) | 3, FLAT_CODE, 3);
  setFlat(core, L.SEG_SS, ((selector & 0xfffc) + 24) | 3, FLAT_DATA, 3);
  setCpl(core, 3);
}

function requireSelector(core: Core): number {
  const { state } = core;
  const selector = state.get(L.MSR_SYSENTER_CS);
  if ((state.cr0 & CR0_PE) === 0 || isNullSelector(selector)) raise(VECTOR_GP);
  return selector;
}

function setFlat(
  core: Core,
  segment: SegmentIndex,
  selector: number,
  access: number,
  dpl: number,
): void {
  setSegment(core, segment, selector, 0, -1, access | (dpl << 5));
}
