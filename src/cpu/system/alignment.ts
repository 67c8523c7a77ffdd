/** Alignment checking: on while CR0.AM and EFLAGS.AC are both set. Intel SDM vol. 3A §6.15, #AC. */
import { CR0_AM } from '../control-registers.js';
import type { Core } from '../core.js';
import { EFLAGS_AC } from '../eflags.js';
import { raise, VECTOR_AC } from '../fault.js';
import { isUser } from '../segmentation.js';
import { FLAG_SYSTEM } from '../state-layout.js';

const QUADWORD = 8;

/** Tells the Mmu anew whether to check. Whoever changes CR0.AM or EFLAGS.AC calls it. */
export function updateAlignmentCheck(core: Core): void {
  const { state } = core;
  core.mmu.checksAlignment =
    (state.cr0 & CR0_AM) !== 0 && (state.get(FLAG_SYSTEM) & EFLAGS_AC) !== 0;
}

/**
 * Checks the address of an operand of 8 bytes that is accessed in smaller parts.
 * @throws fault #AC where alignment is checked, at CPL 3, unless it is a multiple of 8.
 */
export function checkQuadwordAlignment(core: Core, linear: number): void {
  if (linear & (QUADWORD - 1) && core.mmu.checksAlignment && isUser(core.state)) raise(VECTOR_AC);
}
