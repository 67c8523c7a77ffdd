/** Loading EFLAGS as a whole, with what follows from it. */
import type { Core } from '../core.js';
import {
  EFLAGS_AC,
  EFLAGS_ARITHMETIC,
  EFLAGS_DF,
  EFLAGS_ID,
  EFLAGS_IF,
  EFLAGS_IOPL,
  EFLAGS_NT,
  EFLAGS_RF,
  EFLAGS_TF,
  EFLAGS_VM,
  writeEflags,
} from '../eflags.js';
import { FLAG_SYSTEM } from '../state-layout.js';
import { updateAlignmentCheck } from './alignment.js';

/** All flags that some processor of ours has; none has VME's VIF and VIP. */
export const EFLAGS_ALL =
  EFLAGS_ARITHMETIC |
  EFLAGS_TF |
  EFLAGS_IF |
  EFLAGS_DF |
  EFLAGS_IOPL |
  EFLAGS_NT |
  EFLAGS_RF |
  EFLAGS_VM |
  EFLAGS_AC |
  EFLAGS_ID;

/**
 * Replaces the bits of EFLAGS that `mask` selects and the processor has, has alignment checks follow AC, and calls for the
 * run loop's attention where they ask for it. Whoever changes VM updates MODE itself, when the segments are as they must be.
 */
export function loadEflags(core: Core, value: number, mask: number): void {
  const state = core.state;
  const before = state.get(FLAG_SYSTEM);
  writeEflags(state, value, mask & core.model.eflags);
  if ((before ^ state.get(FLAG_SYSTEM)) & EFLAGS_AC) updateAlignmentCheck(core);
  core.attentionForFlags();
}
