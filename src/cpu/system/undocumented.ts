/** SALC and ICEBP, which the manual came to name late, and the opcodes that are there to be undefined. */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { EFLAGS_CF, readEflags } from '../eflags.js';
import { raise, VECTOR_DB, VECTOR_UD } from '../fault.js';
import { deliver } from './delivery.js';

const AL = 0;

/** D6 SALC: AL is FFh where CF is set, else 0. No flag changes. */
export function salc(core: Core): void {
  core.state.setReg8(AL, readEflags(core.state) & EFLAGS_CF ? 0xff : 0);
}

/**
 * F1 ICEBP (INT1): #DB as a trap, with EIP after the instruction. Unlike INT 1 it isn't checked against
 * the gate's DPL, and DR6 stays as it is. A transfer: the delivery sets EIP.
 * Intel SDM vol. 2A, INT1.
 */
export function icebp(core: Core, insn: Instruction): void {
  deliver(core, VECTOR_DB, 0, 'trap', (core.state.eip + insn.length) | 0);
}

/** 0F 0B UD2, 0F B9 UD1, 0F FF UD0, and whatever the decoder doesn't know. @throws fault #UD always. */
export function ud(): void {
  raise(VECTOR_UD);
}
