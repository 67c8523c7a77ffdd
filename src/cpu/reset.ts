/** The state after power-up or a reset. Intel SDM vol. 3A §9.1.1, table 9-1. */
import { CR0_CD, CR0_ET, CR0_NW } from './control-registers.js';
import type { Core } from './core.js';
import { EFLAGS_RESERVED1, writeEflags } from './eflags.js';
import { setCpl, setSegment } from './segmentation.js';
import type { SegmentIndex } from './state.js';
import * as L from './state-layout.js';

/** Data that may be written, CS too: so are all segments in real mode. */
const REAL_SEGMENT = 0x93;
const LDT = 0x82;
/** Unlike FNINIT, a reset leaves the registers valid, all zero, and exceptions unmasked. */
const FPU_CONTROL_RESET = 0x40;
const BUSY_TSS32 = 0x8b;

/**
 * Puts the processor into the state that the manual gives for a reset, steps counted from zero: real
 * mode at FFFFFFF0h by the hidden base of CS, EDX with the processor's signature, all else zero. RAM
 * stays as it is; caches are dropped.
 */
export function resetState(core: Core): void {
  const { state, model } = core;
  state.u8.fill(0, 0, L.ARCHITECTURAL_END);
  state.set(L.EDX, model.signature);
  state.set(L.CR0, ((CR0_CD | CR0_NW) & model.cr0) | CR0_ET);
  writeEflags(state, EFLAGS_RESERVED1, -1);
  state.eip = 0xfff0;
  setSegment(core, L.SEG_CS, 0xf000, 0xffff0000 | 0, 0xffff, REAL_SEGMENT);
  const data: SegmentIndex[] = [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS];
  for (const segment of data) setSegment(core, segment, 0, 0, 0xffff, REAL_SEGMENT);
  setSegment(core, L.SEG_LDTR, 0, 0, 0xffff, LDT);
  setSegment(core, L.SEG_TR, 0, 0, 0xffff, BUSY_TSS32);
  state.set(L.GDTR_LIMIT, 0xffff);
  state.set(L.IDTR_LIMIT, 0xffff);
  state.set(L.DR6, 0xffff0ff0 | 0);
  state.set(L.DR7, 0x400);
  state.set(L.FPU_CONTROL, FPU_CONTROL_RESET);
  core.budgetEnd = 0;
  core.previousShadow = L.SHADOW_NONE;
  core.mmu.checksAlignment = false;
  setCpl(core, 0);
  core.mmu.flush();
}
