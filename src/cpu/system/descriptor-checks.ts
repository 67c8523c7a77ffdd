/**
 * Questions about a selector, answered in ZF without a fault: LAR, LSL, VERR, VERW; and ARPL.
 *
 * What all four ask: the selector isn't null, its descriptor lies within its table, and both CPL and RPL
 * may see it (DPL is no hindrance to conforming code). None asks for the present bit.
 * Intel SDM vol. 3A §5.10.
 */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import {
  Descriptor,
  isConformingCode,
  isReadable,
  isWritableData,
  SELECTOR_RPL,
  TYPE_CALL_GATE16,
  TYPE_CALL_GATE32,
  TYPE_LDT,
  TYPE_TASK_GATE,
  TYPE_TSS16,
  TYPE_TSS16_BUSY,
  TYPE_TSS32,
  TYPE_TSS32_BUSY,
  tryReadDescriptor,
} from '../descriptors.js';
import { EFLAGS_ZF, writeEflags } from '../eflags.js';
import { readRegister, readRm, requireProtectedMode, writeRegister, writeRm } from './operands.js';

/** System descriptors that have a limit, as a set of bits by type. */
const TYPES_WITH_LIMIT =
  (1 << TYPE_TSS16) |
  (1 << TYPE_LDT) |
  (1 << TYPE_TSS16_BUSY) |
  (1 << TYPE_TSS32) |
  (1 << TYPE_TSS32_BUSY);
/** System descriptors whose rights LAR tells: all but interrupt and trap gates and reserved types. */
const TYPES_WITH_RIGHTS =
  TYPES_WITH_LIMIT | (1 << TYPE_CALL_GATE16) | (1 << TYPE_TASK_GATE) | (1 << TYPE_CALL_GATE32);
/** Type, S, DPL, P, the limit's upper bits (undefined by the manual), AVL, D/B, G. */
const LAR_RIGHTS = 0x00ffff00;

const descriptor = new Descriptor();

/** Reads what the selector names into `descriptor`, if CPL and RPL may see it. */
function isVisible(core: Core, selector: number): boolean {
  if (!tryReadDescriptor(core, descriptor, selector)) return false;
  if (isConformingCode(descriptor.access)) return true;
  return Math.max(core.state.cpl, selector & SELECTOR_RPL) <= descriptor.dpl;
}

/** As `isVisible`, for code, data, and the system descriptors in the set. */
function isVisibleOf(core: Core, selector: number, systemTypes: number): boolean {
  if (!isVisible(core, selector)) return false;
  return !descriptor.isSystem || ((systemTypes >>> descriptor.type) & 1) !== 0;
}

function setZero(core: Core, isSet: boolean): void {
  writeEflags(core.state, isSet ? EFLAGS_ZF : 0, EFLAGS_ZF);
}

/**
 * 0F 02 /r LAR r16/32, r/m16: the rights where they lie in the descriptor's second doubleword. The
 * register stays where ZF is cleared. @throws fault #UD outside protected mode, and what reads throw.
 */
export function lar_Gv_Ew(core: Core, insn: Instruction): void {
  requireProtectedMode(core);
  const isKnown = isVisibleOf(core, readRm(core, insn, 2), TYPES_WITH_RIGHTS);
  if (isKnown) {
    writeRegister(core.state, insn.reg, insn.operandSize, descriptor.high & LAR_RIGHTS);
  }
  setZero(core, isKnown);
}

/**
 * 0F 03 /r LSL r16/32, r/m16: the limit in bytes, its low half for an operand size of 16. The register
 * stays where ZF is cleared. @throws fault #UD outside protected mode, and what reads throw.
 */
export function lsl_Gv_Ew(core: Core, insn: Instruction): void {
  requireProtectedMode(core);
  const isKnown = isVisibleOf(core, readRm(core, insn, 2), TYPES_WITH_LIMIT);
  if (isKnown) writeRegister(core.state, insn.reg, insn.operandSize, descriptor.limit);
  setZero(core, isKnown);
}

/** 0F 00 /4 VERR: the segment can be read. @throws fault #UD outside protected mode, and what reads throw. */
export function verr_Ew(core: Core, insn: Instruction): void {
  requireProtectedMode(core);
  const selector = readRm(core, insn, 2);
  setZero(core, isVisible(core, selector) && isReadable(descriptor.access));
}

/** 0F 00 /5 VERW: the segment can be written. @throws fault #UD outside protected mode, and what reads throw. */
export function verw_Ew(core: Core, insn: Instruction): void {
  requireProtectedMode(core);
  const selector = readRm(core, insn, 2);
  setZero(core, isVisible(core, selector) && isWritableData(descriptor.access));
}

/**
 * 63 /r ARPL r/m16, r16: raises the RPL of the destination to that of the source, and ZF says whether it
 * had to. A destination that stays as it is isn't written.
 * @throws fault #UD outside protected mode, and what a read or the write throws.
 */
export function arpl_Ew_Gw(core: Core, insn: Instruction): void {
  requireProtectedMode(core);
  const destination = readRm(core, insn, 2);
  const rpl = readRegister(core.state, insn.reg, 2) & SELECTOR_RPL;
  const isRaised = (destination & SELECTOR_RPL) < rpl;
  if (isRaised) writeRm(core, insn, 2, (destination & ~SELECTOR_RPL) | rpl);
  setZero(core, isRaised);
}
