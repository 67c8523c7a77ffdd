/** Alignment checking: on while CR0.AM and EFLAGS.AC are both set. Intel SDM vol. 3A §6.15, #AC. */
import { CR0_AM } from '../control-registers.js';
import type { Core } from '../core.js';
import { EFLAGS_AC } from '../eflags.js';
import { FLAG_SYSTEM } from '../state-layout.js';

/** Tells the Mmu anew whether to check. Whoever changes CR0.AM or EFLAGS.AC calls it. */
export function updateAlignmentCheck(core: Core): void {
  const { state } = core;
  core.mmu.checksAlignment =
    (state.cr0 & CR0_AM) !== 0 && (state.get(FLAG_SYSTEM) & EFLAGS_AC) !== 0;
}
