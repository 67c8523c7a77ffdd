/**
 * Instructions that move EFLAGS as a whole or change IF: CLI, STI, PUSHF, POPF, HLT.
 *
 * CPL is 0 in real mode and 3 in virtual-8086 mode, so one comparison with IOPL serves all three modes,
 * but for PUSHF and POPF. Deviation: no VME and PVI (CR4 doesn't have the bits, CPUID doesn't claim
 * them), so VIF and VIP never come into play.
 */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import {
  EFLAGS_AC,
  EFLAGS_ARITHMETIC,
  EFLAGS_DF,
  EFLAGS_ID,
  EFLAGS_IF,
  EFLAGS_IOPL,
  EFLAGS_IOPL_SHIFT,
  EFLAGS_NT,
  EFLAGS_RF,
  EFLAGS_TF,
  EFLAGS_VM,
  readEflags,
} from '../eflags.js';
import { raise, VECTOR_GP } from '../fault.js';
import type { State } from '../state.js';
import { FLAG_SYSTEM, HALTED, SHADOW, SHADOW_STI } from '../state-layout.js';
import { loadEflags } from './eflags-load.js';
import { requireCpl0 } from './operands.js';
import { pop, push } from './stack.js';

/** What POPF changes at any CPL, in the operand size that reaches it. */
const POPF_ALWAYS =
  EFLAGS_ARITHMETIC | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | EFLAGS_AC | EFLAGS_ID | EFLAGS_RF;

/** EFLAGS.IOPL, 0 to 3. */
export function ioPrivilegeLevel(state: State): number {
  return (state.get(FLAG_SYSTEM) & EFLAGS_IOPL) >>> EFLAGS_IOPL_SHIFT;
}

/** CPL is at least as privileged as IOPL asks for. */
export function hasIoPrivilege(state: State): boolean {
  return state.cpl <= ioPrivilegeLevel(state);
}

function isVirtual8086(state: State): boolean {
  return (state.get(FLAG_SYSTEM) & EFLAGS_VM) !== 0;
}

function requireFlagAccess(state: State): void {
  if (isVirtual8086(state) && !hasIoPrivilege(state)) raise(VECTOR_GP, 0);
}

/** FA CLI. Intel SDM vol. 2A, CLI. @throws fault #GP(0) where CPL > IOPL. */
export function cli(core: Core): void {
  const { state } = core;
  if (!hasIoPrivilege(state)) raise(VECTOR_GP, 0);
  state.set(FLAG_SYSTEM, state.get(FLAG_SYSTEM) & ~EFLAGS_IF);
}

/**
 * FB STI. Holds maskable interrupts off until the next instruction is done, but only if IF was 0
 * before. Intel SDM vol. 2B, STI. @throws fault #GP(0) where CPL > IOPL.
 */
export function sti(core: Core): void {
  const { state } = core;
  if (!hasIoPrivilege(state)) raise(VECTOR_GP, 0);
  const flags = state.get(FLAG_SYSTEM);
  if ((flags & EFLAGS_IF) !== 0) return;
  state.set(SHADOW, SHADOW_STI);
  state.set(FLAG_SYSTEM, flags | EFLAGS_IF);
  core.attention();
}

/**
 * 9C PUSHF and PUSHFD. The image has VM and RF clear.
 * @throws fault #GP(0) in virtual-8086 mode where IOPL < 3, and what a push throws.
 */
export function pushf(core: Core, insn: Instruction): void {
  requireFlagAccess(core.state);
  push(core, insn.operandSize, readEflags(core.state) & ~(EFLAGS_VM | EFLAGS_RF));
}

/**
 * 9D POPF and POPFD. IOPL changes only at CPL 0 and IF only where CPL <= IOPL, else they stay without
 * a fault; RF is cleared; VM, VIF and VIP stay. IF set here casts no shadow.
 * Intel SDM vol. 2B, POPF. @throws fault #GP(0) in virtual-8086 mode where IOPL < 3, and what a pop throws.
 */
export function popf(core: Core, insn: Instruction): void {
  const { state } = core;
  requireFlagAccess(state);
  let mask = POPF_ALWAYS;
  if (state.cpl === 0) mask |= EFLAGS_IOPL;
  if (hasIoPrivilege(state)) mask |= EFLAGS_IF;
  if (insn.operandSize === 2) mask &= 0xffff;
  const image = pop(core, insn.operandSize) & ~EFLAGS_RF;
  loadEflags(core, image, mask);
}

/**
 * F4 HLT. It is complete when it begins to wait: EIP is after it, and an interrupt's frame says so.
 * @throws fault #GP(0) unless CPL is 0.
 */
export function hlt(core: Core): void {
  requireCpl0(core);
  core.state.set(HALTED, 1);
  core.attention();
}
