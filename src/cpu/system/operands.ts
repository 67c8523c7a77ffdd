/**
 * Operands of the instructions that are plain procedures: effective addresses, the r/m operand, and
 * general registers by size. Values of 1 and 2 bytes are zero-extended, those of 4 bytes signed.
 */
import type { AccessSize } from '../bus.js';
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { raise, VECTOR_GP, VECTOR_UD } from '../fault.js';
import {
  isProtectedMode,
  linearForRead,
  linearForWrite,
  readSegmented,
  writeSegmented,
} from '../segmentation.js';
import type { State } from '../state.js';
import { stackMask } from './stack.js';

/** An offset within a segment, wrapped to the address size of the instruction. */
export function wrapOffset(insn: Instruction, offset: number): number {
  return insn.addressSize === 4 ? offset | 0 : offset & 0xffff;
}

/** The offset of the memory operand within its segment, wrapped to the address size. */
export function effectiveAddress(core: Core, insn: Instruction): number {
  const { state } = core;
  const index = state.get(insn.index) << insn.scale;
  return wrapOffset(insn, state.get(insn.base) + index + insn.displacement);
}

/**
 * The linear address of the memory operand, all segment checks done for `size` bytes.
 * @throws fault #GP(0), or #SS(0) where the segment is SS.
 */
export function linearOfRm(
  core: Core,
  insn: Instruction,
  size: number,
  kind: 'read' | 'write',
): number {
  const offset = effectiveAddress(core, insn);
  return kind === 'read'
    ? linearForRead(core, insn.segment, offset, size)
    : linearForWrite(core, insn.segment, offset, size);
}

/** A general register by its number in ModRM, where 1-byte registers are AL CL DL BL AH CH DH BH. */
export function readRegister(state: State, index: number, size: AccessSize): number {
  if (size === 4) return state.reg32(index);
  return size === 2 ? state.reg16(index) : state.reg8(index);
}

/** Writes the low `size` bytes of `value`; the rest of the register stays. */
export function writeRegister(state: State, index: number, size: AccessSize, value: number): void {
  if (size === 4) state.setReg32(index, value);
  else if (size === 2) state.setReg16(index, value);
  else state.setReg8(index, value);
}

/** Reads the r/m operand. @throws fault as a data read does. */
export function readRm(core: Core, insn: Instruction, size: AccessSize): number {
  if (!insn.isMemory) return readRegister(core.state, insn.rm, size);
  return readSegmented(core, insn.segment, effectiveAddress(core, insn), size);
}

/** Writes the r/m operand. @throws fault as a data write does, before anything has changed. */
export function writeRm(core: Core, insn: Instruction, size: AccessSize, value: number): void {
  if (!insn.isMemory) writeRegister(core.state, insn.rm, size, value);
  else writeSegmented(core, insn.segment, effectiveAddress(core, insn), size, value);
}

/**
 * Stores a 16-bit system value (a selector, the machine status word): memory takes 16 bits whatever the
 * operand size, and a 32-bit register is zero-extended as since the P6.
 */
export function writeRmWord(core: Core, insn: Instruction, value: number): void {
  writeRm(core, insn, insn.isMemory ? 2 : insn.operandSize, value & 0xffff);
}

/** ESP with `pointer` in it: in SP alone, the upper half as it is, where SS.B is clear. */
export function withStackPointer(state: State, pointer: number): number {
  const mask = stackMask(state);
  return (state.esp & ~mask) | (pointer & mask);
}

/** @throws fault #GP(0) unless CPL is 0, as in real mode it always is. */
export function requireCpl0(core: Core): void {
  if (core.state.cpl !== 0) raise(VECTOR_GP, 0);
}

/** @throws fault #UD in real and virtual-8086 mode, which know no selectors. */
export function requireProtectedMode(core: Core): void {
  if (!isProtectedMode(core.state)) raise(VECTOR_UD);
}

/** @throws fault #UD for the register form of an instruction that has none. */
export function requireMemory(insn: Instruction): void {
  if (!insn.isMemory) raise(VECTOR_UD);
}
