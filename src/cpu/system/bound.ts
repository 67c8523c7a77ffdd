/** BOUND: an array index against a pair of limits in memory. */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { raise, VECTOR_BR } from '../fault.js';
import { readSegmented } from '../segmentation.js';
import { effectiveAddress, readRegister, requireMemory, wrapOffset } from './operands.js';

/**
 * 62 /r BOUND r16/32, m16&16/m32&32, all signed.
 * @throws fault #BR where the index is below the first or above the second limit; #UD for the
 *   register form.
 */
export function bound_Gv_Ma(core: Core, insn: Instruction): void {
  requireMemory(insn);
  const size = insn.operandSize;
  const signBits = 32 - size * 8;
  const at = effectiveAddress(core, insn);
  const lower = readSegmented(core, insn.segment, at, size) << signBits;
  const upper = readSegmented(core, insn.segment, wrapOffset(insn, at + size), size) << signBits;
  const index = readRegister(core.state, insn.reg, size) << signBits;
  if (index < lower || index > upper) raise(VECTOR_BR);
}
