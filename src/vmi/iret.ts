/** The IRET of the published region, wherever in its stub the guest is. */

import type { Core } from '../cpu/core.js';
import { type Instruction, NO_MODRM } from '../cpu/decoder/instruction.js';
import { isNullSelector, SELECTOR_RPL } from '../cpu/descriptors.js';
import { EFLAGS_IF } from '../cpu/eflags.js';
import * as L from '../cpu/state-layout.js';
import { iret } from '../cpu/system/iret.js';
import { CALL_BYTES } from './annotations.js';
import { type GuestCpu, readStack } from './emulate.js';
import { KERNEL_CPL } from './layout.js';
import type { IretStage } from './stubs.js';

const FRAME_CS = 4;
const FRAME_EFLAGS = 8;

/** IRETD, as far as its procedure looks at it. */
const IRETD: Instruction = {
  length: 1,
  opcode: 0xcf,
  operandSize: 4,
  addressSize: 4,
  segment: L.SEG_SS,
  modrm: NO_MODRM,
  reg: 0,
  rm: 0,
  isMemory: false,
  base: L.ZERO,
  index: L.ZERO,
  scale: 0,
  displacement: 0,
  immediate: 0,
  immediate2: 0,
  rep: 0,
  lock: false,
};

/** Takes what the stub has pushed off the stack again, and puts EIP back to the site, virtual IF to what it was. */
export function dropIretFrame(cpu: GuestCpu, stage: IretStage): void {
  const { core, shared } = cpu;
  const { state } = core;
  const wasSet = oldFlag(cpu, stage);
  const back = stage.hasReturn ? readStack(core, 0) : shared.iretReturn;
  if (stage.hasSaved) state.set(L.EAX, readStack(core, 0));
  if (stage.hasReturn || stage.hasSaved) state.esp = (state.esp + 4) | 0;
  shared.interruptFlag = wasSet;
  state.eip = (back - CALL_BYTES) | 0;
}

/**
 * Finishes the IRET from any stage: to the frame's destination, with virtual IF as the frame says.
 * @throws fault as the frame says, with the processor as an IRET at the site would leave it.
 */
export function finishIret(cpu: GuestCpu, stage: IretStage): void {
  const { core, shared } = cpu;
  raiseKernelFrame(core, stage);
  dropIretFrame(cpu, stage);
  const flags = readStack(core, FRAME_EFLAGS);
  iret(core, IRETD);
  shared.interruptFlag = (flags & EFLAGS_IF) !== 0;
}

/**
 * A frame of the kernel's own may say CPL 0, which is CPL 1 here: it is made to say so.
 * @returns true where it had to be.
 */
export function raiseKernelFrame(core: Core, stage: IretStage): boolean {
  const { state, mmu } = core;
  const at = FRAME_CS + (stage.hasReturn || stage.hasSaved ? 4 : 0);
  const selector = readStack(core, at);
  if (isNullSelector(selector & 0xffff) || (selector & SELECTOR_RPL) !== 0) return false;
  const linear = (state.segmentBase(L.SEG_SS) + state.esp + at) | 0;
  mmu.write(linear, 4, selector | KERNEL_CPL, false);
  return true;
}

function oldFlag(cpu: GuestCpu, stage: IretStage): boolean {
  const { core, shared } = cpu;
  if (stage.oldIf === 'live') return shared.interruptFlag;
  return stage.oldIf === 'eax' ? (core.state.get(L.EAX) & EFLAGS_IF) !== 0 : shared.iretOldFlag;
}
