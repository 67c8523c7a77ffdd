/**
 * The registers that say where descriptor tables and the task are: GDTR, IDTR, LDTR and TR.
 * Intel SDM vol. 3A §2.4.
 */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import {
  Descriptor,
  isNullSelector,
  readDescriptor,
  SELECTOR_TI,
  setBusy,
  TYPE_BUSY,
  TYPE_LDT,
  TYPE_TSS16,
  TYPE_TSS32,
} from '../descriptors.js';
import { raise, VECTOR_GP, VECTOR_NP } from '../fault.js';
import {
  isUser,
  linearForWrite,
  readSegmented,
  setNullSegment,
  setSegmentFrom,
} from '../segmentation.js';
import { GDTR_BASE, GDTR_LIMIT, IDTR_BASE, IDTR_LIMIT, SEG_LDTR, SEG_TR } from '../state-layout.js';
import {
  effectiveAddress,
  readRm,
  requireCpl0,
  requireMemory,
  requireProtectedMode,
  wrapOffset,
  writeRmWord,
} from './operands.js';

/** Of a table's base with an operand size of 16 bits: the 24 bits of the 80286. */
const BASE_24 = 0xffffff;

function loadTable(core: Core, insn: Instruction, base: number, limit: number): void {
  const { state } = core;
  requireMemory(insn);
  requireCpl0(core);
  const at = effectiveAddress(core, insn);
  const newLimit = readSegmented(core, insn.segment, at, 2);
  const newBase = readSegmented(core, insn.segment, wrapOffset(insn, at + 2), 4);
  state.set(limit, newLimit);
  state.set(base, insn.operandSize === 4 ? newBase : newBase & BASE_24);
}

function storeTable(core: Core, insn: Instruction, base: number, limit: number): void {
  const { state, mmu } = core;
  requireMemory(insn);
  const user = isUser(state);
  const at = effectiveAddress(core, insn);
  const limitAt = linearForWrite(core, insn.segment, at, 2);
  const baseAt = linearForWrite(core, insn.segment, wrapOffset(insn, at + 2), 4);
  mmu.probeWrite(limitAt, 2, user);
  mmu.probeWrite(baseAt, 4, user);
  mmu.write(limitAt, 2, state.get(limit), user);
  mmu.write(baseAt, 4, state.get(base), user);
}

/**
 * 0F 01 /2 LGDT: a limit of 16 bits and a base of 32, or of 24 with an operand size of 16.
 * @throws fault #UD for the register form, #GP(0) unless CPL is 0, and what a read throws.
 */
export function lgdt_Ms(core: Core, insn: Instruction): void {
  loadTable(core, insn, GDTR_BASE, GDTR_LIMIT);
}

/** 0F 01 /3 LIDT, as LGDT. */
export function lidt_Ms(core: Core, insn: Instruction): void {
  loadTable(core, insn, IDTR_BASE, IDTR_LIMIT);
}

/**
 * 0F 01 /0 SGDT, at any CPL. All 32 bits of the base are stored whatever the operand size.
 * @throws fault #UD for the register form, and what a write throws.
 */
export function sgdt_Ms(core: Core, insn: Instruction): void {
  storeTable(core, insn, GDTR_BASE, GDTR_LIMIT);
}

/** 0F 01 /1 SIDT, as SGDT. */
export function sidt_Ms(core: Core, insn: Instruction): void {
  storeTable(core, insn, IDTR_BASE, IDTR_LIMIT);
}

const descriptor = new Descriptor();

/** Reads the descriptor of an LDT or TSS into `descriptor`. It must be in the GDT. */
function readSystemDescriptor(core: Core, selector: number): void {
  if (selector & SELECTOR_TI) raise(VECTOR_GP, selector & 0xfffc);
  readDescriptor(core, descriptor, selector);
  if (!descriptor.isSystem) raise(VECTOR_GP, selector & 0xfffc);
}

/**
 * 0F 00 /2 LLDT. A null selector leaves no LDT.
 * @throws fault #UD outside protected mode; #GP(0) unless CPL is 0; #GP(selector) where it names no LDT
 *   in the GDT; #NP(selector).
 */
export function lldt_Ew(core: Core, insn: Instruction): void {
  requireProtectedMode(core);
  requireCpl0(core);
  const selector = readRm(core, insn, 2);
  if (isNullSelector(selector)) {
    setNullSegment(core, SEG_LDTR, selector);
    return;
  }
  readSystemDescriptor(core, selector);
  if (descriptor.type !== TYPE_LDT) raise(VECTOR_GP, selector & 0xfffc);
  if (!descriptor.isPresent) raise(VECTOR_NP, selector & 0xfffc);
  setSegmentFrom(core, SEG_LDTR, selector, descriptor);
}

/** 0F 00 /0 SLDT, at any CPL. @throws fault #UD outside protected mode, and what a write throws. */
export function sldt_Ew(core: Core, insn: Instruction): void {
  requireProtectedMode(core);
  writeRmWord(core, insn, core.state.selector(SEG_LDTR));
}

/**
 * 0F 00 /3 LTR: marks the TSS busy, and switches no task.
 * @throws fault #UD outside protected mode; #GP(0) unless CPL is 0, and for a null selector;
 *   #GP(selector) where it names no available TSS in the GDT; #NP(selector).
 */
export function ltr_Ew(core: Core, insn: Instruction): void {
  requireProtectedMode(core);
  requireCpl0(core);
  const selector = readRm(core, insn, 2);
  if (isNullSelector(selector)) raise(VECTOR_GP, 0);
  readSystemDescriptor(core, selector);
  const { type } = descriptor;
  if (type !== TYPE_TSS16 && type !== TYPE_TSS32) raise(VECTOR_GP, selector & 0xfffc);
  if (!descriptor.isPresent) raise(VECTOR_NP, selector & 0xfffc);
  setBusy(core, descriptor, true);
  descriptor.high |= TYPE_BUSY << 8;
  setSegmentFrom(core, SEG_TR, selector, descriptor);
}

/** 0F 00 /1 STR, at any CPL. @throws fault #UD outside protected mode, and what a write throws. */
export function str_Ew(core: Core, insn: Instruction): void {
  requireProtectedMode(core);
  writeRmWord(core, insn, core.state.selector(SEG_TR));
}
