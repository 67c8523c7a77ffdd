/**
 * Moves to and from segment registers: MOV, PUSH, POP and the far-pointer loads.
 *
 * MOV SS and POP SS hold off interrupts, NMI and debug traps until the next instruction is done, so
 * that an SS:ESP pair can be loaded (Intel SDM vol. 3A §6.8.3); the second of two in a row casts no
 * shadow. LSS needs none, as it loads both at once.
 */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { raise, VECTOR_UD } from '../fault.js';
import { loadDataSegment, readSegmented } from '../segmentation.js';
import type { SegmentIndex } from '../state.js';
import {
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
  SHADOW,
  SHADOW_MOV_SS,
} from '../state-layout.js';
import {
  effectiveAddress,
  readRm,
  requireMemory,
  withStackPointer,
  wrapOffset,
  writeRegister,
  writeRmWord,
} from './operands.js';
import type { Procedure } from './procedure.js';
import { peekStack, push } from './stack.js';

function segmentOperand(insn: Instruction): SegmentIndex {
  if (insn.reg > SEG_GS) raise(VECTOR_UD);
  return insn.reg as SegmentIndex;
}

/**
 * Holds interrupts, NMI and debug traps off for one instruction, after a load of SS. Intel promises it
 * for the first of several loads in a row alone (SDM vol. 3A §6.8.3); AMD's processors do it for each.
 */
export function castStackShadow(core: Core): void {
  const renews = core.model.vendor === 'amd';
  if (renews || core.previousShadow !== SHADOW_MOV_SS) core.state.set(SHADOW, SHADOW_MOV_SS);
  core.attention();
}

/** 8C /r MOV r/m16, Sreg. A 32-bit register is zero-extended. @throws fault #UD for segment registers 6 and 7. */
export function mov_Ew_Sw(core: Core, insn: Instruction): void {
  writeRmWord(core, insn, core.state.selector(segmentOperand(insn)));
}

/** 8E /r MOV Sreg, r/m16. @throws fault #UD for CS and for segment registers 6 and 7, and what a load throws. */
export function mov_Sw_Ew(core: Core, insn: Instruction): void {
  const segment = segmentOperand(insn);
  if (segment === SEG_CS) raise(VECTOR_UD);
  loadDataSegment(core, segment, readRm(core, insn, 2));
  if (segment === SEG_SS) castStackShadow(core);
}

/**
 * A push of a segment register takes the operand size from the stack; of 4 bytes the upper two are
 * zero. (Some processors leave them as they were; Intel SDM vol. 2B, PUSH, allows both.)
 */
function pushSegment(segment: SegmentIndex): Procedure {
  return (core, insn) => push(core, insn.operandSize, core.state.selector(segment));
}

/** 06 PUSH ES */
export const push_ES = pushSegment(SEG_ES);
/** 0E PUSH CS */
export const push_CS = pushSegment(SEG_CS);
/** 16 PUSH SS */
export const push_SS = pushSegment(SEG_SS);
/** 1E PUSH DS */
export const push_DS = pushSegment(SEG_DS);
/** 0F A0 PUSH FS */
export const push_FS = pushSegment(SEG_FS);
/** 0F A8 PUSH GS */
export const push_GS = pushSegment(SEG_GS);

function popSegment(segment: SegmentIndex): Procedure {
  return (core, insn) => {
    const { state } = core;
    const selector = peekStack(core, 0, insn.operandSize) & 0xffff;
    // POP SS moves the stack pointer by the width of the old stack, so it is worked out before.
    const esp = withStackPointer(state, state.esp + insn.operandSize);
    loadDataSegment(core, segment, selector);
    state.esp = esp;
    if (segment === SEG_SS) castStackShadow(core);
  };
}

/** 07 POP ES */
export const pop_ES = popSegment(SEG_ES);
/** 17 POP SS, with the shadow of MOV SS. */
export const pop_SS = popSegment(SEG_SS);
/** 1F POP DS */
export const pop_DS = popSegment(SEG_DS);
/** 0F A1 POP FS */
export const pop_FS = popSegment(SEG_FS);
/** 0F A9 POP GS */
export const pop_GS = popSegment(SEG_GS);

function loadFarPointer(segment: SegmentIndex): Procedure {
  return (core, insn) => {
    requireMemory(insn);
    const at = effectiveAddress(core, insn);
    const offset = readSegmented(core, insn.segment, at, insn.operandSize);
    const after = wrapOffset(insn, at + insn.operandSize);
    const selector = readSegmented(core, insn.segment, after, 2);
    loadDataSegment(core, segment, selector);
    writeRegister(core.state, insn.reg, insn.operandSize, offset);
    if (segment === SEG_SS) core.attention();
  };
}

/** C4 /r LES r16/32, m16:16/32. @throws fault #UD for the register form, and what a load throws. */
export const les_Gv_Mp = loadFarPointer(SEG_ES);
/** C5 /r LDS r16/32, m16:16/32 */
export const lds_Gv_Mp = loadFarPointer(SEG_DS);
/** 0F B2 /r LSS r16/32, m16:16/32: no interrupt shadow. */
export const lss_Gv_Mp = loadFarPointer(SEG_SS);
/** 0F B4 /r LFS r16/32, m16:16/32 */
export const lfs_Gv_Mp = loadFarPointer(SEG_FS);
/** 0F B5 /r LGS r16/32, m16:16/32 */
export const lgs_Gv_Mp = loadFarPointer(SEG_GS);
