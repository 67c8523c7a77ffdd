/**
 * Delivery of exceptions and interrupts through the IDT.
 *
 * A delivery reads and checks all that it needs, then commits; a fault on the way leaves the state as
 * it was, and is delivered in its stead, or becomes a double fault, or shuts the processor down.
 *
 * Sources: Intel SDM vol. 3A §6.10 to §6.15 and §17.3.1.1, vol. 2 "INT n".
 */
import { DR7_GD } from '../control-registers.js';
import type { Core } from '../core.js';
import {
  ACCESS_S,
  ACCESS_TYPE,
  Descriptor,
  isCode,
  isConformingCode,
  isNullSelector,
  markAccessed,
  probeAccessed,
  readDescriptor,
  SELECTOR_TI,
  TYPE_32,
  TYPE_BUSY,
  TYPE_INTERRUPT_GATE16,
  TYPE_INTERRUPT_GATE32,
  TYPE_TASK_GATE,
  TYPE_TRAP_GATE16,
  TYPE_TRAP_GATE32,
  TYPE_TSS16,
} from '../descriptors.js';
import { EFLAGS_IF, EFLAGS_VM } from '../eflags.js';
import {
  fault,
  hasErrorCode,
  raise,
  VECTOR_AC,
  VECTOR_DB,
  VECTOR_DE,
  VECTOR_DF,
  VECTOR_GP,
  VECTOR_NP,
  VECTOR_PF,
  VECTOR_TS,
} from '../fault.js';
import type { DeliveryKind } from '../interceptor.js';
import { isProtectedMode, setCpl, setSegmentFrom } from '../segmentation.js';
import * as L from '../state-layout.js';
import { Frame } from './frame.js';
import {
  CLEARED_ON_ENTRY,
  dropVirtualSegments,
  pushedFlags,
  pushOuterStack,
} from './handler-entry.js';
import { InnerStack, readInnerStack } from './inner-stack.js';
import { enterRealHandler } from './real-mode.js';
import { switchTask } from './task-switch.js';

export type { DeliveryKind } from '../interceptor.js';

const gate = new Descriptor();
const code = new Descriptor();
const task = new Descriptor();
const innerStack = new InnerStack();
const frame = new Frame();

/**
 * Delivers an event: enters its handler, or that of what goes wrong on the way, or shuts the processor
 * down (SHUTDOWN). Ends the interrupt shadow and HLT; an NMI blocks further ones. Of a #PF, CR2 takes
 * `fault.cr2`, so whoever delivers one that was not just thrown sets that first. Never throws a fault.
 * @param errorCode ignored where the vector has none.
 * @param returnEip what the handler returns to: of a fault the instruction itself.
 */
export function deliver(
  core: Core,
  vector: number,
  errorCode: number,
  kind: DeliveryKind,
  returnEip: number,
): void {
  const { state } = core;
  state.set(L.SHADOW, L.SHADOW_NONE);
  state.set(L.HALTED, 0);
  if (kind === 'nmi') state.set(L.NMI_BLOCKED, 1);
  if (kind === 'fault' && vector === VECTOR_PF) state.set(L.CR2, fault.cr2);
  // The handler of #DB may use the debug registers. Intel SDM vol. 3B §17.2.4.
  if (vector === VECTOR_DB && kind !== 'interrupt') state.set(L.DR7, state.get(L.DR7) & ~DR7_GD);
  if (!tryEnter(core, vector, errorCode, kind, returnEip)) {
    deliverNested(core, kind === 'fault' ? vector : -1);
  }
}

/** Enters a handler. @returns false where that faulted, as `fault` says. */
function tryEnter(
  core: Core,
  vector: number,
  errorCode: number,
  kind: DeliveryKind,
  returnEip: number,
): boolean {
  try {
    enterHandler(core, vector, errorCode, kind, returnEip);
    return true;
  } catch (thrown) {
    if (thrown !== fault) throw thrown;
    return false;
  }
}

/**
 * Delivers the fault that another delivery ended in. Intel SDM vol. 3A §6.15, "Interrupt 8".
 *
 * Deviation: #AC on the way to the handler of #AC, with or without other faults between the two,
 * repeats for ever on hardware (not even an NMI ends it); here it shuts the processor down.
 * @param first the vector of the exception that could not be delivered; -1 where it was an interrupt,
 *   whose vector counts for nothing.
 */
function deliverNested(core: Core, first: number): void {
  const { state } = core;
  let previous = first;
  let hasChecked = first === VECTOR_AC;
  for (;;) {
    let vector = fault.vector;
    let errorCode = fault.errorCode;
    if (vector === VECTOR_PF) state.set(L.CR2, fault.cr2);
    if (previous === VECTOR_DF || (hasChecked && vector === VECTOR_AC)) {
      state.set(L.SHUTDOWN, 1);
      core.attention();
      return;
    }
    if (isDoubleFault(previous, vector)) {
      vector = VECTOR_DF;
      errorCode = 0;
    }
    previous = vector;
    hasChecked ||= vector === VECTOR_AC;
    if (tryEnter(core, vector, errorCode, 'fault', state.eip)) return;
  }
}

function isContributory(vector: number): boolean {
  return vector === VECTOR_DE || (vector >= VECTOR_TS && vector <= VECTOR_GP);
}

function isDoubleFault(first: number, second: number): boolean {
  if (isContributory(second)) return isContributory(first) || first === VECTOR_PF;
  return first === VECTOR_PF && second === VECTOR_PF;
}

/**
 * Enters the handler of a vector by way of the IDT, or throws what stands in the way, with nothing
 * changed. (Only a task gate may throw with the switch to the new task already made.)
 * @throws fault #GP, #NP, #TS, #SS, #PF, #AC.
 */
export function enterHandler(
  core: Core,
  vector: number,
  errorCode: number,
  kind: DeliveryKind,
  returnEip: number,
): void {
  const { state, mmu } = core;
  if (core.interceptor !== null) {
    core.interceptor.enter(vector, errorCode, kind, returnEip);
    return;
  }
  const isVirtual8086 = (state.get(L.FLAG_SYSTEM) & EFLAGS_VM) !== 0;
  if (!isProtectedMode(state) && !isVirtual8086) {
    enterRealHandler(core, vector, returnEip);
    return;
  }
  const external = kind === 'software' ? 0 : 1;
  const gateCode = (vector << 3) | 2 | external;
  const at = vector << 3;
  if (at + 7 > (state.get(L.IDTR_LIMIT) & 0xffff)) raise(VECTOR_GP, gateCode);
  gate.low = mmu.read((state.get(L.IDTR_BASE) + at) | 0, 4, false);
  gate.high = mmu.read((state.get(L.IDTR_BASE) + at + 4) | 0, 4, false);
  const type = (gate.high >>> 8) & (ACCESS_TYPE | ACCESS_S);
  const isInterruptGate = type === TYPE_INTERRUPT_GATE32 || type === TYPE_INTERRUPT_GATE16;
  const isTrapGate = type === TYPE_TRAP_GATE32 || type === TYPE_TRAP_GATE16;
  if (!isInterruptGate && !isTrapGate && type !== TYPE_TASK_GATE) raise(VECTOR_GP, gateCode);
  if (kind === 'software' && gate.dpl < state.cpl) raise(VECTOR_GP, gateCode);
  if (!gate.isPresent) raise(VECTOR_NP, gateCode);
  const pushesError = kind === 'fault' && hasErrorCode(vector);
  const flags = pushedFlags(state, vector, kind);
  if (type === TYPE_TASK_GATE) {
    enterTask(core, gate.gateSelector, external, returnEip, flags);
    if (pushesError) pushTaskError(core, errorCode, external);
    return;
  }

  const selector = gate.gateSelector;
  if (isNullSelector(selector)) raise(VECTOR_GP, external);
  readDescriptor(core, code, selector, VECTOR_GP, external);
  const codeError = (selector & 0xfffc) | external;
  const cpl = state.cpl;
  if (!isCode(code.access) || code.dpl > cpl) raise(VECTOR_GP, codeError);
  if (!code.isPresent) raise(VECTOR_NP, codeError);
  const isInner = !isConformingCode(code.access) && code.dpl < cpl;
  if (isVirtual8086 && (!isInner || code.dpl !== 0)) raise(VECTOR_GP, codeError);
  const newCpl = isInner ? code.dpl : cpl;
  const isNewUser = newCpl === 3;
  const size = type & TYPE_32 ? 4 : 2;
  let stackError = external;
  if (isInner) {
    readInnerStack(core, innerStack, newCpl, external);
    const { segment } = innerStack;
    frame.begin(segment.base, segment.limit, segment.access, innerStack.pointer, size);
    stackError |= innerStack.selector & 0xfffc;
    pushOuterStack(core, frame, isVirtual8086);
  } else {
    frame.beginHere(core, size);
  }
  frame.push(flags);
  frame.push(state.selector(L.SEG_CS));
  frame.push(returnEip);
  if (pushesError) frame.push(errorCode);
  frame.checkLimit(stackError);
  const offset = gate.gateOffset;
  if (offset >>> 0 > code.limit >>> 0) raise(VECTOR_GP, external);
  frame.probe(core, isNewUser);
  probeAccessed(core, code);
  if (isInner) probeAccessed(core, innerStack.segment);

  // Nothing faults from here on.
  frame.write(core, isNewUser);
  const cleared = CLEARED_ON_ENTRY | (isInterruptGate ? EFLAGS_IF : 0);
  state.set(L.FLAG_SYSTEM, state.get(L.FLAG_SYSTEM) & ~cleared);
  if (isInner) {
    if (isVirtual8086) dropVirtualSegments(core);
    markAccessed(core, innerStack.segment);
    setSegmentFrom(core, L.SEG_SS, innerStack.selector, innerStack.segment);
  }
  state.esp = frame.stackPointer;
  markAccessed(core, code);
  setSegmentFrom(core, L.SEG_CS, (selector & 0xfffc) | newCpl, code);
  state.eip = offset;
  if (isInner) setCpl(core, newCpl);
}

/**
 * Switches to the task of a task gate in the IDT. Intel SDM vol. 3A §6.14.2 and §7.3.
 * @param external EXT bit of the error codes.
 * @param flags the image of EFLAGS that the old task keeps.
 * @throws fault #GP, #NP, and as a task switch.
 */
export function enterTask(
  core: Core,
  selector: number,
  external: number,
  returnEip: number,
  flags: number,
): void {
  const errorCode = (selector & 0xfffc) | external;
  if (isNullSelector(selector) || selector & SELECTOR_TI) raise(VECTOR_GP, errorCode);
  readDescriptor(core, task, selector, VECTOR_GP, external);
  // An available TSS of either size, and nothing else.
  if (!task.isSystem || (task.type & ~TYPE_32) !== TYPE_TSS16 || task.type & TYPE_BUSY) {
    raise(VECTOR_GP, errorCode);
  }
  if (!task.isPresent) raise(VECTOR_NP, errorCode);
  switchTask(core, task, 'call', returnEip, flags, external);
}

/** Pushes an error code on the stack of the task just entered, as wide as its TSS. @throws fault #SS, #PF. */
export function pushTaskError(core: Core, errorCode: number, external: number): void {
  const { state } = core;
  frame.beginHere(core, state.segmentAccess(L.SEG_TR) & TYPE_32 ? 4 : 2);
  frame.push(errorCode);
  frame.checkLimit(external);
  frame.probe(core, state.cpl === 3);
  frame.write(core, state.cpl === 3);
  state.esp = frame.stackPointer;
}
