/** INVLPG, INVD and WBINVD. There is no data cache, and no translation in the TLB is ever stale. */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { requireCpl0, requireMemory } from './operands.js';

/**
 * 0F 01 /7 INVLPG: nothing to drop. The operand's segment isn't checked and its page need not be mapped.
 * @throws fault #UD for the register form, #GP(0) unless CPL is 0.
 */
export function invlpg_M(core: Core, insn: Instruction): void {
  requireMemory(insn);
  requireCpl0(core);
}

/** 0F 08 INVD: memory is always coherent here, so nothing is lost. @throws fault #GP(0) unless CPL is 0. */
export function invd(core: Core): void {
  requireCpl0(core);
}

/** 0F 09 WBINVD. @throws fault #GP(0) unless CPL is 0. */
export function wbinvd(core: Core): void {
  requireCpl0(core);
}
