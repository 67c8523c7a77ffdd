/** The IRET of the published region, wherever in its stub the guest is. */

import type { Core } from '../cpu/core.js';
import { isNullSelector, SELECTOR_RPL } from '../cpu/descriptors.js';
import { EFLAGS_IF, EFLAGS_IOPL, EFLAGS_NT, EFLAGS_VM, writeEflags } from '../cpu/eflags.js';
import { fault } from '../cpu/fault.js';
import { isUser, linearForWrite } from '../cpu/segmentation.js';
import * as L from '../cpu/state-layout.js';
import { iret } from '../cpu/system/iret.js';
import { peekStack, setStackPointer, stackMask } from '../cpu/system/stack.js';
import { CALL_BYTES } from './annotations.js';
import type { GuestCpu } from './emulate.js';
import { decodeBytes } from './guest-code.js';
import { KERNEL_CPL } from './layout.js';
import type { IretStage } from './region-code.js';

const FRAME_CS = 4;
const FRAME_EFLAGS = 8;
const FRAME_ESP = 12;

const IRETD = [0xcf];

/** Bytes between the top of the stack and the frame. */
function frameAt(stage: IretStage): number {
  return stage.hasReturn || stage.eax === 'stack' ? 4 : 0;
}

/** EFLAGS of the frame that the IRET is to pop. @throws fault as reading the stack does. */
export function frameFlags(core: Core, stage: IretStage): number {
  return peekStack(core, frameAt(stage) + FRAME_EFLAGS, 4);
}

/** Takes what the stub has pushed off the stack again, so that ESP is at the frame, and restores EAX. */
function uncoverFrame(cpu: GuestCpu, stage: IretStage): void {
  const { core, shared } = cpu;
  const { state } = core;
  if (stage.eax === 'stack') state.set(L.EAX, peekStack(core, 0, 4));
  else if (stage.eax === 'word') state.set(L.EAX, shared.iretEax);
  setStackPointer(state, state.esp + frameAt(stage));
}

/**
 * Goes back to the site, with ESP at the frame and virtual IF as it was: the call was not made.
 * @throws fault as what the stub has pushed can't be read, with nothing changed.
 */
export function returnToSite(cpu: GuestCpu, stage: IretStage): void {
  const { core, shared } = cpu;
  const wasSet = interruptFlagBefore(cpu, stage);
  const back = stage.hasReturn ? peekStack(core, 0, 4) : shared.iretReturn;
  uncoverFrame(cpu, stage);
  shared.interruptFlag = wasSet;
  core.state.eip = (back - CALL_BYTES) | 0;
}

/**
 * What the stub does up to its IRET, which is left to the guest.
 * @param iretAt where that is.
 * @throws fault as the frame can't be read, with the guest at the site.
 */
export function skipToIret(cpu: GuestCpu, stage: IretStage, iretAt: number): void {
  const { core, shared } = cpu;
  const wasSet = interruptFlagBefore(cpu, stage);
  returnToSite(cpu, stage);
  raiseKernelFrame(core, 0);
  const flags = peekStack(core, FRAME_EFLAGS, 4);
  shared.iretReturn = core.state.eip + CALL_BYTES;
  shared.iretOldFlag = wasSet;
  shared.interruptFlag = (flags & EFLAGS_IF) !== 0;
  core.state.eip = iretAt | 0;
}

/** Has the frame be the present one, for a handler that is to pop it. */
export function giveUpFrame(cpu: GuestCpu, stage: IretStage): void {
  raiseKernelFrame(cpu.core, frameAt(stage));
  uncoverFrame(cpu, stage);
}

/**
 * Finishes the IRET from any stage: to the frame's destination, with virtual IF as the frame says, and
 * with all of ESP, where hardware leaves the upper half alone on a 16-bit stack.
 * @throws fault as the frame says, with the processor as an IRET at the site would leave it.
 */
export function finishIret(cpu: GuestCpu, stage: IretStage): void {
  const { core, shared } = cpu;
  const { state } = core;
  // First, so that whatever faults does at the site.
  returnToSite(cpu, stage);
  if (state.get(L.FLAG_SYSTEM) & EFLAGS_NT) {
    leaveTask(core);
    return;
  }
  raiseKernelFrame(core, 0);
  const flags = peekStack(core, FRAME_EFLAGS, 4);
  const isOuter = (flags & EFLAGS_VM) !== 0 || (peekStack(core, FRAME_CS, 4) & SELECTOR_RPL) === 3;
  const pointer = isOuter ? pointerOf(core) : 0;
  popFrame(core, flags);
  if (isOuter && stackMask(state) !== -1 && (flags & EFLAGS_VM) === 0) state.esp = pointer;
  shared.interruptFlag = (flags & EFLAGS_IF) !== 0;
}

/** IRET with NT set, which pops nothing. The old task is to go on behind the site. */
function leaveTask(core: Core): void {
  const { instruction } = decodeBytes(core, IRETD);
  iret(core, { ...instruction, length: CALL_BYTES });
}

/** ESP in the frame on top; 0 where it can't be read, which IRET tells when it has come to it. */
function pointerOf(core: Core): number {
  try {
    return peekStack(core, FRAME_ESP, 4);
  } catch (thrown) {
    if (thrown !== fault) throw thrown;
    return 0;
  }
}

/** IRET, which only at CPL 0 goes to virtual-8086 mode. IF and IOPL stay what they are here. */
function popFrame(core: Core, flags: number): void {
  const { state } = core;
  const { instruction } = decodeBytes(core, IRETD);
  if ((flags & EFLAGS_VM) === 0) {
    iret(core, instruction);
    return;
  }
  state.set(L.CPL, 0);
  try {
    iret(core, instruction);
  } finally {
    if (state.cpl === 0) state.set(L.CPL, KERNEL_CPL);
  }
  writeEflags(state, EFLAGS_IF, EFLAGS_IF | EFLAGS_IOPL);
}

/**
 * A frame of the kernel's own may say CPL 0, which is CPL 1 here: it is made to say so.
 * @param above the top of the stack, in bytes.
 * @throws fault #SS, #PF, with nothing changed.
 */
function raiseKernelFrame(core: Core, above: number): void {
  const { state, mmu } = core;
  const at = above + FRAME_CS;
  // As IRET reads: of a frame that is missing, the first word is the one that the fault names.
  peekStack(core, above, 4);
  const selector = peekStack(core, at, 4);
  if (isNullSelector(selector & 0xffff) || (selector & SELECTOR_RPL) !== 0) return;
  if (peekStack(core, above + FRAME_EFLAGS, 4) & EFLAGS_VM) return;
  const linear = linearForWrite(core, L.SEG_SS, (state.esp + at) & stackMask(state), 4);
  mmu.write(linear, 4, selector | KERNEL_CPL, isUser(state));
}

/** Virtual IF when the IRET began. */
export function interruptFlagBefore(cpu: GuestCpu, stage: IretStage): boolean {
  const { core, shared } = cpu;
  if (stage.oldIf === 'live') return shared.interruptFlag;
  return stage.oldIf === 'eax' ? (core.state.get(L.EAX) & EFLAGS_IF) !== 0 : shared.iretOldFlag;
}
