/**
 * MOV to and from CR0, CR2, CR3 and CR4, and the instructions on the machine status word (the low half
 * of CR0): LMSW, SMSW, CLTS. Intel SDM vol. 3A §2.5.
 *
 * All of CR0's bits that are kept are kept here, so a change has its consequences in one place.
 */
import {
  CR0_AM,
  CR0_CD,
  CR0_EM,
  CR0_ET,
  CR0_MP,
  CR0_NE,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  CR4_PAE,
  CR4_PGE,
  CR4_PSE,
} from '../control-registers.js';
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { raise, VECTOR_GP, VECTOR_UD } from '../fault.js';
import { signalError } from '../fpu/error-line.js';
import { loadPageDirectoryPointers, usesPae } from '../page-directory-pointers.js';
import { updateMode } from '../segmentation.js';
import { CR0, CR2, CR3, CR4 } from '../state-layout.js';
import { updateAlignmentCheck } from './alignment.js';
import { readRm, requireCpl0, writeRm } from './operands.js';

/** Bits of CR0 on which cached translations depend. */
const CR0_PAGING = CR0_PE | CR0_WP | CR0_PG;
/** Bits of CR0 and CR4 whose change loads the page-directory pointers anew. */
const CR0_POINTERS = CR0_PG | CR0_CD | CR0_NW;
const CR4_POINTERS = CR4_PAE | CR4_PGE | CR4_PSE;
/** Bits of CR4 on which cached translations depend. PGE is none: no translation is ever stale. */
const CR4_PAGING = CR4_PSE | CR4_PAE;
/** The bits of CR3 that name a page directory. */
const CR3_DIRECTORY = ~0xfff;
/** What LMSW reaches. */
const CR0_STATUS_WORD = CR0_PE | CR0_MP | CR0_EM | CR0_TS;

/** Sets CR0 with all that follows from it. The value was checked. */
function setCr0(core: Core, value: number): void {
  const { state } = core;
  const next = (value & core.model.cr0) | CR0_ET;
  const changed = next ^ state.cr0;
  state.set(CR0, next);
  if (changed & CR0_PAGING) core.mmu.flush();
  if (changed & CR0_PE) updateMode(core);
  if (changed & CR0_AM) updateAlignmentCheck(core);
  if (changed & CR0_NE) signalError(core);
  core.attention();
}

function writeCr0(core: Core, written: number): void {
  const { state } = core;
  // Bits that the processor doesn't have ignore the write.
  const value = written & core.model.cr0;
  const hasPaging = (value & CR0_PG) !== 0;
  if (hasPaging && !(value & CR0_PE)) raise(VECTOR_GP, 0);
  if (value & CR0_NW && !(value & CR0_CD)) raise(VECTOR_GP, 0);
  if ((value ^ state.cr0) & CR0_POINTERS && usesPae(value, state.cr4)) {
    loadPageDirectoryPointers(core, state.get(CR3));
  }
  setCr0(core, value);
}

function writeCr3(core: Core, value: number): void {
  const { state } = core;
  if (usesPae(state.cr0, state.cr4)) loadPageDirectoryPointers(core, value);
  const changed = value ^ state.get(CR3);
  state.set(CR3, value);
  if (changed & CR3_DIRECTORY) core.mmu.flush();
}

function writeCr4(core: Core, value: number): void {
  const { state } = core;
  if (value & ~core.model.cr4) raise(VECTOR_GP, 0);
  const changed = value ^ state.cr4;
  if (changed & CR4_POINTERS && usesPae(state.cr0, value)) {
    loadPageDirectoryPointers(core, state.get(CR3));
  }
  state.set(CR4, value);
  if (changed & CR4_PAGING) core.mmu.flush();
  core.attention();
}

/** State offset of a control register. @throws fault #UD for the numbers that name none. */
function controlRegister(core: Core, index: number): number {
  switch (index) {
    case 0:
      return CR0;
    case 2:
      return CR2;
    case 3:
      return CR3;
    case 4:
      return core.model.cr4 === 0 ? raise(VECTOR_UD) : CR4;
    default:
      return raise(VECTOR_UD);
  }
}

/**
 * 0F 20 /r MOV r32, CR. The mod field is ignored: r/m is always a register of 32 bits.
 * @throws fault #UD for CR1 and CR5 to CR7, #GP(0) unless CPL is 0.
 */
export function mov_Rd_Cd(core: Core, insn: Instruction): void {
  const register = controlRegister(core, insn.reg);
  requireCpl0(core);
  core.state.setReg32(insn.rm, core.state.get(register));
}

/**
 * 0F 22 /r MOV CR, r32. A load of CR3 with another directory drops all cached translations, global ones too (see mmu.ts).
 * @throws fault #UD for CR1 and CR5 to CR7, and where there is no CR4; #GP(0) unless CPL is 0, for PG
 *   without PE, NW without CD, reserved bits of CR4, and page-directory pointers with reserved bits.
 */
export function mov_Cd_Rd(core: Core, insn: Instruction): void {
  const { state } = core;
  const register = controlRegister(core, insn.reg);
  requireCpl0(core);
  const value = state.reg32(insn.rm);
  if (register === CR0) writeCr0(core, value);
  else if (register === CR3) writeCr3(core, value);
  else if (register === CR4) writeCr4(core, value);
  else state.set(register, value);
}

/** 0F 06 CLTS. @throws fault #GP(0) unless CPL is 0. */
export function clts(core: Core): void {
  requireCpl0(core);
  setCr0(core, core.state.cr0 & ~CR0_TS);
}

/** 0F 01 /4 SMSW: at any CPL; memory takes 16 bits, a 32-bit register all of CR0. */
export function smsw_Ew(core: Core, insn: Instruction): void {
  writeRm(core, insn, insn.isMemory ? 2 : insn.operandSize, core.state.cr0);
}

/** 0F 01 /6 LMSW: loads PE, MP, EM and TS, and cannot clear PE. @throws fault #GP(0) unless CPL is 0. */
export function lmsw_Ew(core: Core, insn: Instruction): void {
  requireCpl0(core);
  const { cr0 } = core.state;
  const word = readRm(core, insn, 2) & CR0_STATUS_WORD;
  setCr0(core, (cr0 & ~(CR0_STATUS_WORD & ~CR0_PE)) | word);
}
