/**
 * IRET in all its forms: to the same level, to an outer one, to virtual-8086 mode, to the task that
 * this one was called from, and outside protected mode.
 *
 * Sources: Intel SDM vol. 2 "IRET"; vol. 3A §6.12.1, §6.7.1 (NMI), §6.8.1; vol. 3B §20.1.3, §20.3.
 */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import {
  Descriptor,
  probeAccessed,
  readDescriptor,
  SELECTOR_RPL,
  SELECTOR_TI,
  TYPE_TSS16_BUSY,
  TYPE_TSS32_BUSY,
} from '../descriptors.js';
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
import { raise, VECTOR_GP, VECTOR_NP, VECTOR_TS } from '../fault.js';
import { isProtectedMode, setCpl, setRealSegment } from '../segmentation.js';
import type { State } from '../state.js';
import * as L from '../state-layout.js';
import { checkReturnCode, checkTargetOffset, goTo } from './code-target.js';
import { EFLAGS_ALL, loadEflags } from './eflags-load.js';
import { checkOuter, returnOuter } from './far-return.js';
import { checkRealOffset } from './real-mode.js';
import { peekStack, setStackPointer } from './stack.js';
import { switchTask } from './task-switch.js';

const code = new Descriptor();
const stack = new Descriptor();
const task = new Descriptor();

/** What any IRET loads, in the operand size that reaches it. */
const ALWAYS =
  EFLAGS_ARITHMETIC | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | EFLAGS_RF | EFLAGS_AC | EFLAGS_ID;

/**
 * CF  IRET, IRETD. Lifts the blocking of NMIs even where it then faults. It casts no interrupt shadow:
 * an interrupt that IF now lets in is taken before the first instruction returned to.
 * @throws fault as the frame says, with nothing changed but NMI_BLOCKED.
 */
export function iret(core: Core, insn: Instruction): void {
  const { state } = core;
  core.onIret?.();
  if (state.get(L.NMI_BLOCKED)) {
    state.set(L.NMI_BLOCKED, 0);
    core.attention();
  }
  const flags = state.get(L.FLAG_SYSTEM);
  if (!isProtectedMode(state)) {
    returnReal(core, insn.operandSize, flags);
  } else if (flags & EFLAGS_NT) {
    returnToTask(core, (state.eip + insn.length) | 0);
  } else {
    returnProtected(core, insn.operandSize);
  }
}

function returnProtected(core: Core, size: 2 | 4): void {
  const { state } = core;
  const offset = peekStack(core, 0, size);
  const selector = peekStack(core, size, size) & 0xffff;
  const eflags = peekStack(core, 2 * size, size);
  if (size === 4 && eflags & EFLAGS_VM && state.cpl === 0) {
    returnToVirtual8086(core, offset, selector, eflags);
    return;
  }
  checkReturnCode(core, code, selector);
  const mask = loadableFlags(state, size);
  const rpl = selector & SELECTOR_RPL;
  if (rpl === state.cpl) {
    checkTargetOffset(code, offset);
    probeAccessed(core, code);
    setStackPointer(state, state.esp + 3 * size);
    goTo(core, code, rpl, offset);
  } else {
    const pointer = peekStack(core, 3 * size, size);
    const stackSelector = peekStack(core, 4 * size, size) & 0xffff;
    checkOuter(core, code, offset, stack, stackSelector, rpl);
    returnOuter(core, code, offset, stack, pointer, 0);
  }
  loadEflags(core, eflags, mask);
}

/** The flags that an IRET at the present CPL and IOPL may load; the others stay without a fault. */
function loadableFlags(state: State, size: 2 | 4): number {
  const iopl = (state.get(L.FLAG_SYSTEM) & EFLAGS_IOPL) >>> EFLAGS_IOPL_SHIFT;
  let mask = ALWAYS;
  if (state.cpl <= iopl) mask |= EFLAGS_IF;
  if (state.cpl === 0) mask |= EFLAGS_IOPL;
  return size === 2 ? mask & 0xffff : mask;
}

/** Loads the nine dwords of a frame that virtual-8086 mode was left with. */
function returnToVirtual8086(core: Core, offset: number, selector: number, eflags: number): void {
  const { state } = core;
  const pointer = peekStack(core, 12, 4);
  const ss = peekStack(core, 16, 4);
  const es = peekStack(core, 20, 4);
  const ds = peekStack(core, 24, 4);
  const fs = peekStack(core, 28, 4);
  const gs = peekStack(core, 32, 4);
  if (offset >>> 0 > 0xffff) raise(VECTOR_GP);
  // VM first: it says what a selector means.
  loadEflags(core, eflags, EFLAGS_ALL);
  setRealSegment(core, L.SEG_CS, selector);
  setRealSegment(core, L.SEG_SS, ss);
  setRealSegment(core, L.SEG_ES, es);
  setRealSegment(core, L.SEG_DS, ds);
  setRealSegment(core, L.SEG_FS, fs);
  setRealSegment(core, L.SEG_GS, gs);
  state.eip = offset;
  state.esp = pointer;
  setCpl(core, 3);
}

/** Goes back to the task whose TSS the back link names. Intel SDM vol. 3A §7.4. */
function returnToTask(core: Core, nextEip: number): void {
  const { state } = core;
  const selector = core.mmu.read(state.segmentBase(L.SEG_TR), 2, false);
  const errorCode = selector & 0xfffc;
  if (selector & SELECTOR_TI) raise(VECTOR_TS, errorCode);
  readDescriptor(core, task, selector, VECTOR_TS);
  if (!task.isSystem || (task.type !== TYPE_TSS16_BUSY && task.type !== TYPE_TSS32_BUSY)) {
    raise(VECTOR_TS, errorCode);
  }
  if (!task.isPresent) raise(VECTOR_NP, errorCode);
  switchTask(core, task, 'return', nextEip, readEflags(state) & ~EFLAGS_NT, 0);
}

/** Real mode, and virtual-8086 mode where IOPL is 3. */
function returnReal(core: Core, size: 2 | 4, flags: number): void {
  const { state } = core;
  const isVirtual8086 = (flags & EFLAGS_VM) !== 0;
  if (isVirtual8086 && (flags & EFLAGS_IOPL) !== EFLAGS_IOPL) raise(VECTOR_GP);
  const offset = peekStack(core, 0, size);
  const selector = peekStack(core, size, size) & 0xffff;
  const eflags = peekStack(core, 2 * size, size);
  checkRealOffset(core, offset);
  setStackPointer(state, state.esp + 3 * size);
  const mask = ALWAYS | EFLAGS_IF | (isVirtual8086 ? 0 : EFLAGS_IOPL);
  loadEflags(core, eflags, size === 2 ? mask & 0xffff : mask);
  setRealSegment(core, L.SEG_CS, selector);
  state.eip = offset;
}
