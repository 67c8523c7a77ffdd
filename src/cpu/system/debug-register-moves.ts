/** MOV to and from the debug registers. Intel SDM vol. 3B §17.2. */
import { CR4_DE, DR6_BD, DR7_GD } from '../control-registers.js';
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { raise, VECTOR_DB, VECTOR_UD } from '../fault.js';
import { DR0, DR6, DR7 } from '../state-layout.js';
import { requireCpl0 } from './operands.js';

/** B0 to B3, BD, BS, BT; of the reserved bits, 12 is zero and the others are one. */
const DR6_WRITABLE = 0xe00f;
const DR6_ONES = 0xffff0ff0 | 0;
/** All but bits 11, 12, 14 and 15, which are zero, and bit 10, which is one. */
const DR7_WRITABLE = 0xffff23ff | 0;
const DR7_ONES = 0x400;

/**
 * State offset of the register; DR4 and DR5 are other names of DR6 and DR7 unless CR4.DE is set.
 * @throws fault #UD for those two where it is; #GP(0) unless CPL is 0; #DB while DR7.GD is set, with
 *   DR6.BD set for its handler.
 */
function debugRegister(core: Core, index: number): number {
  const { state } = core;
  const isAlias = index === 4 || index === 5;
  if (isAlias && state.cr4 & CR4_DE) raise(VECTOR_UD);
  requireCpl0(core);
  if (state.get(DR7) & DR7_GD) {
    state.set(DR6, state.get(DR6) | DR6_BD);
    raise(VECTOR_DB);
  }
  return DR0 + (isAlias ? index + 2 : index) * 4;
}

/** 0F 21 /r MOV r32, DR. The mod field is ignored. @throws fault as `debugRegister` does. */
export function mov_Rd_Dd(core: Core, insn: Instruction): void {
  const register = debugRegister(core, insn.reg);
  core.state.setReg32(insn.rm, core.state.get(register));
}

/**
 * 0F 23 /r MOV DR, r32. Reserved bits of DR6 and DR7 keep their fixed values without a fault.
 * @throws fault as `debugRegister` does.
 */
export function mov_Dd_Rd(core: Core, insn: Instruction): void {
  const { state } = core;
  const register = debugRegister(core, insn.reg);
  let value = state.reg32(insn.rm);
  if (register === DR6) value = (value & DR6_WRITABLE) | DR6_ONES;
  if (register === DR7) value = (value & DR7_WRITABLE) | DR7_ONES;
  state.set(register, value);
  core.attention();
}
