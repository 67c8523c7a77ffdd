/** INT n, INT3 and INTO. Intel SDM vol. 2 "INT n". UD2 and its like are in undocumented.ts. */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { EFLAGS_IOPL, EFLAGS_OF, EFLAGS_VM, readEflags } from '../eflags.js';
import { raise, VECTOR_BP, VECTOR_GP, VECTOR_OF } from '../fault.js';
import { FLAG_SYSTEM } from '../state-layout.js';
import { enterHandler } from './delivery.js';

/** CC  INT3. @throws fault where the handler can't be entered, with nothing changed. */
export function int3(core: Core, insn: Instruction): void {
  enterSoftware(core, VECTOR_BP, insn);
}

/**
 * CD ib  INT n.
 * @throws fault #GP(0) in virtual-8086 mode where IOPL is below 3; where the handler can't be entered,
 *   with nothing changed.
 */
export function int_Ib(core: Core, insn: Instruction): void {
  const flags = core.state.get(FLAG_SYSTEM);
  if (flags & EFLAGS_VM && (flags & EFLAGS_IOPL) !== EFLAGS_IOPL) raise(VECTOR_GP);
  enterSoftware(core, insn.immediate & 0xff, insn);
}

/** CE  INTO: interrupt 4 if OF is set, else the next instruction. It sets EIP in either case. */
export function into(core: Core, insn: Instruction): void {
  if (readEflags(core.state) & EFLAGS_OF) enterSoftware(core, VECTOR_OF, insn);
  else core.state.eip = (core.state.eip + insn.length) | 0;
}

function enterSoftware(core: Core, vector: number, insn: Instruction): void {
  enterHandler(core, vector, 0, 'software', (core.state.eip + insn.length) | 0);
  core.attentionForFlags();
}
