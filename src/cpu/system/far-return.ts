/**
 * RETF, and what it shares with IRET: the return to an outer privilege level.
 *
 * Sources: Intel SDM vol. 2 "RET"; vol. 3A §5.8.6.
 */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import {
  ACCESS_BIG,
  Descriptor,
  markAccessed,
  probeAccessed,
  SELECTOR_RPL,
} from '../descriptors.js';
import { VECTOR_GP } from '../fault.js';
import {
  checkStackSegment,
  dropInnerSegments,
  isProtectedMode,
  setCpl,
  setRealSegment,
  setSegmentFrom,
} from '../segmentation.js';
import { SEG_CS, SEG_SS } from '../state-layout.js';
import { checkReturnCode, checkTargetOffset, goTo } from './code-target.js';
import { checkRealOffset } from './real-mode.js';
import { peekStack, setStackPointer } from './stack.js';

const code = new Descriptor();
const stack = new Descriptor();

/** CB  RETF. @throws fault as the frame says, with nothing changed. */
export function retf(core: Core, insn: Instruction): void {
  farReturn(core, insn.operandSize, 0);
}

/** CA iw  RETF imm16. @throws fault as the frame says, with nothing changed. */
export function retf_Iw(core: Core, insn: Instruction): void {
  farReturn(core, insn.operandSize, insn.immediate & 0xffff);
}

function farReturn(core: Core, size: 2 | 4, released: number): void {
  const { state } = core;
  const offset = peekStack(core, 0, size);
  const selector = peekStack(core, size, size) & 0xffff;
  if (!isProtectedMode(state)) {
    checkRealOffset(core, offset);
    setStackPointer(state, state.esp + 2 * size + released);
    setRealSegment(core, SEG_CS, selector);
    state.eip = offset;
    return;
  }
  checkReturnCode(core, code, selector);
  const rpl = selector & SELECTOR_RPL;
  if (rpl === state.cpl) {
    checkTargetOffset(code, offset);
    probeAccessed(core, code);
    setStackPointer(state, state.esp + 2 * size + released);
    goTo(core, code, rpl, offset);
    return;
  }
  const at = 2 * size + released;
  const pointer = peekStack(core, at, size);
  const stackSelector = peekStack(core, at + size, size) & 0xffff;
  checkOuter(core, code, offset, stack, stackSelector, rpl);
  returnOuter(core, code, offset, stack, pointer, released);
}

/**
 * Checks the stack segment of a return to an outer level, the offset, and that accessed bits can be
 * set. Changes nothing but `into`.
 * @throws fault #GP, #SS, #PF.
 */
export function checkOuter(
  core: Core,
  target: Descriptor,
  offset: number,
  into: Descriptor,
  stackSelector: number,
  rpl: number,
): void {
  checkStackSegment(core, into, stackSelector, rpl, VECTOR_GP, 0);
  checkTargetOffset(target, offset);
  probeAccessed(core, target);
  probeAccessed(core, into);
}

/**
 * Goes to an outer level, which was checked: CS:EIP, SS:ESP, the CPL, and no data segment kept that the
 * outer level may not use. Onto a 16-bit stack only SP is loaded: the upper half of ESP stays.
 * @param released bytes to take off the outer stack.
 */
export function returnOuter(
  core: Core,
  target: Descriptor,
  offset: number,
  outerStack: Descriptor,
  pointer: number,
  released: number,
): void {
  const { state } = core;
  const rpl = outerStack.dpl;
  markAccessed(core, outerStack);
  setSegmentFrom(core, SEG_SS, outerStack.selector, outerStack);
  const mask = outerStack.access & ACCESS_BIG ? -1 : 0xffff;
  state.esp = (state.esp & ~mask) | ((pointer + released) & mask);
  goTo(core, target, rpl, offset);
  setCpl(core, rpl);
  dropInnerSegments(core, rpl);
}
