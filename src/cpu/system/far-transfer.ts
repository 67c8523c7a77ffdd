/**
 * JMP and CALL to another code segment: straight, through call gates, and to tasks.
 *
 * Sources: Intel SDM vol. 2 "JMP", "CALL"; vol. 3A §5.8 and §7.3.
 */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import {
  Descriptor,
  isCode,
  isConformingCode,
  isNullSelector,
  markAccessed,
  probeAccessed,
  readDescriptor,
  SELECTOR_RPL,
  SELECTOR_TI,
  TYPE_32,
  TYPE_CALL_GATE16,
  TYPE_CALL_GATE32,
  TYPE_TASK_GATE,
  TYPE_TSS16,
  TYPE_TSS32,
} from '../descriptors.js';
import { readEflags } from '../eflags.js';
import { raise, VECTOR_GP, VECTOR_NP } from '../fault.js';
import { isProtectedMode, readSegmented, setCpl, setSegmentFrom } from '../segmentation.js';
import { SEG_CS, SEG_SS } from '../state-layout.js';
import { checkTargetOffset, goTo } from './code-target.js';
import { Frame } from './frame.js';
import { InnerStack, readInnerStack } from './inner-stack.js';
import { effectiveAddress, requireMemory, wrapOffset } from './operands.js';
import { callReal, jumpReal } from './real-mode.js';
import { peekStack } from './stack.js';
import { switchTask } from './task-switch.js';

const target = new Descriptor();
const code = new Descriptor();
const innerStack = new InnerStack();
const frame = new Frame();

type Transfer = (
  core: Core,
  selector: number,
  offset: number,
  size: 2 | 4,
  nextEip: number,
) => void;

/** EA cp  JMP ptr16:16/32. @throws fault as the target says, with nothing changed. */
export function jmpf_Ap(core: Core, insn: Instruction): void {
  transferToImmediate(core, insn, farJump);
}

/** FF /5  JMP m16:16/32. @throws fault #UD for the register form; as the target says. */
export function jmpf_Ep(core: Core, insn: Instruction): void {
  transferThroughMemory(core, insn, farJump);
}

/** 9A cp  CALL ptr16:16/32. @throws fault as the target says, with nothing changed. */
export function callf_Ap(core: Core, insn: Instruction): void {
  transferToImmediate(core, insn, farCall);
}

/** FF /3  CALL m16:16/32. @throws fault #UD for the register form; as the target says. */
export function callf_Ep(core: Core, insn: Instruction): void {
  transferThroughMemory(core, insn, farCall);
}

function transferToImmediate(core: Core, insn: Instruction, transfer: Transfer): void {
  const nextEip = (core.state.eip + insn.length) | 0;
  const offset = insn.operandSize === 2 ? insn.immediate & 0xffff : insn.immediate;
  transfer(core, insn.immediate2 & 0xffff, offset, insn.operandSize, nextEip);
}

function transferThroughMemory(core: Core, insn: Instruction, transfer: Transfer): void {
  requireMemory(insn);
  const nextEip = (core.state.eip + insn.length) | 0;
  const at = effectiveAddress(core, insn);
  const offset = readSegmented(core, insn.segment, at, insn.operandSize);
  const selectorAt = wrapOffset(insn, at + insn.operandSize);
  const selector = readSegmented(core, insn.segment, selectorAt, 2);
  transfer(core, selector, offset, insn.operandSize, nextEip);
}

function farJump(
  core: Core,
  selector: number,
  offset: number,
  _size: 2 | 4,
  nextEip: number,
): void {
  if (!isProtectedMode(core.state)) {
    jumpReal(core, selector, offset);
    return;
  }
  readTarget(core, selector);
  if (isCode(target.access)) {
    checkDirect(core, target, selector);
    jumpTo(core, target, offset);
    return;
  }
  switch (systemType()) {
    case TYPE_CALL_GATE16:
    case TYPE_CALL_GATE32:
      checkGate(core, selector);
      readGateCode(core);
      // A jump never changes the CPL: only conforming code may be more privileged.
      if (!isConformingCode(code.access) && code.dpl !== core.state.cpl) {
        raise(VECTOR_GP, target.gateSelector & 0xfffc);
      }
      if (!code.isPresent) raise(VECTOR_NP, target.gateSelector & 0xfffc);
      jumpTo(core, code, target.gateOffset);
      return;
    default:
      transferToTask(core, selector, 'jump', nextEip);
  }
}

function jumpTo(core: Core, segment: Descriptor, offset: number): void {
  checkTargetOffset(segment, offset);
  probeAccessed(core, segment);
  goTo(core, segment, core.state.cpl, offset);
}

function farCall(core: Core, selector: number, offset: number, size: 2 | 4, nextEip: number): void {
  if (!isProtectedMode(core.state)) {
    callReal(core, selector, offset, size, nextEip);
    return;
  }
  readTarget(core, selector);
  if (isCode(target.access)) {
    checkDirect(core, target, selector);
    callSameLevel(core, target, offset, size, nextEip);
    return;
  }
  switch (systemType()) {
    case TYPE_CALL_GATE16:
    case TYPE_CALL_GATE32:
      checkGate(core, selector);
      callThroughGate(core, nextEip);
      return;
    default:
      transferToTask(core, selector, 'call', nextEip);
  }
}

/** Pushes CS:EIP on the present stack and goes there. */
function callSameLevel(
  core: Core,
  segment: Descriptor,
  offset: number,
  size: 2 | 4,
  nextEip: number,
): void {
  const { state } = core;
  const user = state.cpl === 3;
  frame.beginHere(core, size);
  frame.push(state.selector(SEG_CS));
  frame.push(nextEip);
  frame.checkLimit(0);
  checkTargetOffset(segment, offset);
  frame.probe(core, user);
  probeAccessed(core, segment);
  frame.write(core, user);
  state.esp = frame.stackPointer;
  goTo(core, segment, state.cpl, offset);
}

function callThroughGate(core: Core, nextEip: number): void {
  const { state } = core;
  readGateCode(core);
  if (!code.isPresent) raise(VECTOR_NP, target.gateSelector & 0xfffc);
  const size = target.type & TYPE_32 ? 4 : 2;
  if (isConformingCode(code.access) || code.dpl === state.cpl) {
    callSameLevel(core, code, target.gateOffset, size, nextEip);
  } else {
    callInnerLevel(core, size, nextEip);
  }
}

/** Switches to the stack of the gate's inner level and takes the parameters along. */
function callInnerLevel(core: Core, size: 2 | 4, nextEip: number): void {
  const { state } = core;
  const cpl = code.dpl;
  readInnerStack(core, innerStack, cpl, 0);
  const { segment, selector } = innerStack;
  frame.begin(segment.base, segment.limit, segment.access, innerStack.pointer, size);
  frame.push(state.selector(SEG_SS));
  frame.push(state.esp);
  for (let i = (target.high & 0x1f) - 1; i >= 0; i--) frame.push(peekStack(core, i * size, size));
  frame.push(state.selector(SEG_CS));
  frame.push(nextEip);
  frame.checkLimit(selector & 0xfffc);
  checkTargetOffset(code, target.gateOffset);
  frame.probe(core, false);
  probeAccessed(core, segment);
  probeAccessed(core, code);

  frame.write(core, false);
  markAccessed(core, segment);
  setSegmentFrom(core, SEG_SS, selector, segment);
  state.esp = frame.stackPointer;
  goTo(core, code, cpl, target.gateOffset);
  setCpl(core, cpl);
}

/** Reads the descriptor that the instruction names into `target`. */
function readTarget(core: Core, selector: number): void {
  if (isNullSelector(selector)) raise(VECTOR_GP);
  readDescriptor(core, target, selector);
}

/** The type of `target`, or -1 where it is data. */
function systemType(): number {
  return target.isSystem ? target.type : -1;
}

/** Checks privilege and presence of a code segment that is named straight. */
function checkDirect(core: Core, segment: Descriptor, selector: number): void {
  const { cpl } = core.state;
  const errorCode = selector & 0xfffc;
  if (isConformingCode(segment.access)) {
    if (segment.dpl > cpl) raise(VECTOR_GP, errorCode);
  } else if ((selector & SELECTOR_RPL) > cpl || segment.dpl !== cpl) {
    raise(VECTOR_GP, errorCode);
  }
  if (!segment.isPresent) raise(VECTOR_NP, errorCode);
}

/** Checks privilege and presence of the gate or TSS in `target`: usable by CPL and RPL. */
function checkGate(core: Core, selector: number): void {
  const errorCode = selector & 0xfffc;
  if (target.dpl < Math.max(core.state.cpl, selector & SELECTOR_RPL)) raise(VECTOR_GP, errorCode);
  if (!target.isPresent) raise(VECTOR_NP, errorCode);
}

/** Reads the code segment of the call gate in `target` into `code`: one at this level or further in. */
function readGateCode(core: Core): void {
  const selector = target.gateSelector;
  if (isNullSelector(selector)) raise(VECTOR_GP);
  readDescriptor(core, code, selector);
  if (!isCode(code.access) || code.dpl > core.state.cpl) raise(VECTOR_GP, selector & 0xfffc);
}

/** Goes to the task that `target` is the TSS or a task gate of. */
function transferToTask(
  core: Core,
  selector: number,
  cause: 'jump' | 'call',
  nextEip: number,
): void {
  let tssSelector = selector;
  if (systemType() === TYPE_TASK_GATE) {
    checkGate(core, selector);
    tssSelector = target.gateSelector;
    if (isNullSelector(tssSelector)) raise(VECTOR_GP);
    checkGlobal(tssSelector);
    readDescriptor(core, target, tssSelector);
    checkAvailableTss(tssSelector);
    if (!target.isPresent) raise(VECTOR_NP, tssSelector & 0xfffc);
  } else {
    checkAvailableTss(selector);
    checkGlobal(selector);
    checkGate(core, selector);
  }
  switchTask(core, target, cause, nextEip, readEflags(core.state), 0);
}

function checkGlobal(selector: number): void {
  if (selector & SELECTOR_TI) raise(VECTOR_GP, selector & 0xfffc);
}

function checkAvailableTss(selector: number): void {
  const type = systemType();
  if (type !== TYPE_TSS16 && type !== TYPE_TSS32) raise(VECTOR_GP, selector & 0xfffc);
}
