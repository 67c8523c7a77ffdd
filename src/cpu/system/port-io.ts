/** IN and OUT. Names of operands: eAX is AX or EAX by operand size, Ib the port in the instruction. */
import type { AccessSize } from '../bus.js';
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { readRegister, writeRegister } from './operands.js';
import { checkPortAccess, notePortAccess } from './port-access.js';

const ACCUMULATOR = 0;
const DX = 2;

function input(core: Core, port: number, size: AccessSize): void {
  checkPortAccess(core, port, size);
  writeRegister(core.state, ACCUMULATOR, size, core.bus.readPort(port, size));
  notePortAccess(core, port, size);
}

function output(core: Core, port: number, size: AccessSize): void {
  checkPortAccess(core, port, size);
  core.bus.writePort(port, size, readRegister(core.state, ACCUMULATOR, size));
  notePortAccess(core, port, size);
}

/** E4 ib IN AL, imm8. @throws fault #GP(0) where the port isn't permitted; so do all in this file. */
export function in_AL_Ib(core: Core, insn: Instruction): void {
  input(core, insn.immediate & 0xff, 1);
}

/** E5 ib IN eAX, imm8 */
export function in_eAX_Ib(core: Core, insn: Instruction): void {
  input(core, insn.immediate & 0xff, insn.operandSize);
}

/** EC IN AL, DX */
export function in_AL_DX(core: Core): void {
  input(core, core.state.reg16(DX), 1);
}

/** ED IN eAX, DX */
export function in_eAX_DX(core: Core, insn: Instruction): void {
  input(core, core.state.reg16(DX), insn.operandSize);
}

/** E6 ib OUT imm8, AL */
export function out_Ib_AL(core: Core, insn: Instruction): void {
  output(core, insn.immediate & 0xff, 1);
}

/** E7 ib OUT imm8, eAX */
export function out_Ib_eAX(core: Core, insn: Instruction): void {
  output(core, insn.immediate & 0xff, insn.operandSize);
}

/** EE OUT DX, AL */
export function out_DX_AL(core: Core): void {
  output(core, core.state.reg16(DX), 1);
}

/** EF OUT DX, eAX */
export function out_DX_eAX(core: Core, insn: Instruction): void {
  output(core, core.state.reg16(DX), insn.operandSize);
}
