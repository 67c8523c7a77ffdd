/**
 * INS and OUTS, with and without REP (either of F2 and F3).
 *
 * A call does one iteration, which is one step: while the count isn't used up EIP stays at the
 * instruction, so an interrupt or a debug trap between iterations finds it there. That makes these
 * procedures transfers: they set EIP themselves.
 */
import type { AccessSize } from '../bus.js';
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { EFLAGS_DF } from '../eflags.js';
import { isUser, linearForWrite, readSegmented } from '../segmentation.js';
import { FLAG_SYSTEM, SEG_ES, UNRETIRED } from '../state-layout.js';
import { readRegister, writeRegister } from './operands.js';
import { checkPortAccess, notePortAccess } from './port-access.js';

const CX = 1;
const DX = 2;
const SI = 6;
const DI = 7;

/** Moves one element at the offset in SI or DI and returns its port. */
type Element = (core: Core, insn: Instruction, size: AccessSize, offset: number) => number;

function inputElement(core: Core, _insn: Instruction, size: AccessSize, offset: number): number {
  const port = core.state.reg16(DX);
  // A port is read once and for all, so the destination must be known to be writable before.
  const linear = linearForWrite(core, SEG_ES, offset, size);
  const user = isUser(core.state);
  core.mmu.probeWrite(linear, size, user);
  core.mmu.write(linear, size, core.bus.readPort(port, size), user);
  return port;
}

function outputElement(core: Core, insn: Instruction, size: AccessSize, offset: number): number {
  const port = core.state.reg16(DX);
  core.bus.writePort(port, size, readSegmented(core, insn.segment, offset, size));
  return port;
}

function iterate(
  core: Core,
  insn: Instruction,
  size: AccessSize,
  element: Element,
  pointer: number,
): void {
  const { state } = core;
  const width = insn.addressSize;
  const count = insn.rep === 0 ? 1 : readRegister(state, CX, width);
  // Even where the count is 0, as measured on an AMD EPYC: the manual does not say.
  checkPortAccess(core, state.reg16(DX), size);
  if (count === 0) {
    state.eip = (state.eip + insn.length) | 0;
    return;
  }
  const offset = readRegister(state, pointer, width);
  const port = element(core, insn, size, offset);
  const delta = state.get(FLAG_SYSTEM) & EFLAGS_DF ? -size : size;
  writeRegister(state, pointer, width, offset + delta);
  if (insn.rep !== 0) writeRegister(state, CX, width, count - 1);
  if (count === 1) state.eip = (state.eip + insn.length) | 0;
  else state.f64[UNRETIRED >> 3] += 1;
  notePortAccess(core, port, size);
}

/**
 * 6C INSB: ES:(E)DI, not overridable. The port is read only once the destination is known to be
 * writable. @throws fault #GP(0) where the port isn't permitted, before any fault of the memory.
 */
export function insb(core: Core, insn: Instruction): void {
  iterate(core, insn, 1, inputElement, DI);
}

/** 6D INSW and INSD */
export function ins_Yv_DX(core: Core, insn: Instruction): void {
  iterate(core, insn, insn.operandSize, inputElement, DI);
}

/** 6E OUTSB: DS:(E)SI or the segment of an override. @throws fault as INSB does. */
export function outsb(core: Core, insn: Instruction): void {
  iterate(core, insn, 1, outputElement, SI);
}

/** 6F OUTSW and OUTSD */
export function outs_DX_Xv(core: Core, insn: Instruction): void {
  iterate(core, insn, insn.operandSize, outputElement, SI);
}
