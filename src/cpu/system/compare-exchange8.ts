/** CMPXCHG8B. */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { EFLAGS_ZF, writeEflags } from '../eflags.js';
import { isUser } from '../segmentation.js';
import { EAX, EBX, ECX, EDX } from '../state-layout.js';
import { checkQuadwordAlignment } from './alignment.js';
import { linearOfRm, requireMemory } from './operands.js';

/**
 * 0F C7 /1 CMPXCHG8B m64. The destination is written in either case, with its old value where it isn't
 * equal to EDX:EAX, so it must be writable. Of the flags only ZF changes.
 * @throws fault #UD for the register form, and what a write of 8 bytes throws.
 */
export function cmpxchg8b_Mq(core: Core, insn: Instruction): void {
  const { state, mmu } = core;
  requireMemory(insn);
  const user = isUser(core.state);
  const linear = linearOfRm(core, insn, 8, 'write');
  checkQuadwordAlignment(core, linear);
  const highLinear = (linear + 4) | 0;
  mmu.probeWrite(linear, 4, user);
  mmu.probeWrite(highLinear, 4, user);
  const low = mmu.read(linear, 4, user);
  const high = mmu.read(highLinear, 4, user);
  const isEqual = low === state.get(EAX) && high === state.get(EDX);
  mmu.write(linear, 4, isEqual ? state.get(EBX) : low, user);
  mmu.write(highLinear, 4, isEqual ? state.get(ECX) : high, user);
  if (!isEqual) {
    state.set(EAX, low);
    state.set(EDX, high);
  }
  writeEflags(state, isEqual ? EFLAGS_ZF : 0, EFLAGS_ZF);
}
