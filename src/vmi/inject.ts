/**
 * Delivery of an event to the guest: the frame that the processor would have built from the guest's IDT
 * had the guest owned it. All that is needed is read and checked before anything changes.
 */
import type { Core } from '../cpu/core.js';
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
  TYPE_32,
  TYPE_INTERRUPT_GATE16,
  TYPE_INTERRUPT_GATE32,
  TYPE_TASK_GATE,
  TYPE_TRAP_GATE16,
  TYPE_TRAP_GATE32,
} from '../cpu/descriptors.js';
import { EFLAGS_IF, EFLAGS_IOPL, EFLAGS_IOPL_SHIFT, EFLAGS_VM } from '../cpu/eflags.js';
import { hasErrorCode, raise, VECTOR_GP, VECTOR_NP, VECTOR_TS } from '../cpu/fault.js';
import { checkStackSegment, setCpl, setSegmentFrom } from '../cpu/segmentation.js';
import * as L from '../cpu/state-layout.js';
import { type DeliveryKind, enterTask, pushTaskError } from '../cpu/system/delivery.js';
import { Frame } from '../cpu/system/frame.js';
import {
  CLEARED_ON_ENTRY,
  dropVirtualSegments,
  pushedFlags,
  pushOuterStack,
} from '../cpu/system/handler-entry.js';
import type { GuestState } from './guest-state.js';
import { KERNEL_CPL } from './layout.js';

const gate = new Descriptor();
const code = new Descriptor();
const stack = new Descriptor();
const frame = new Frame();

/** An event on its way to the guest. */
export interface GuestEvent {
  readonly vector: number;
  readonly errorCode: number;
  readonly kind: DeliveryKind;
  readonly returnEip: number;
  /** Virtual IF before the event, which the frame's EFLAGS show. */
  readonly interruptFlag: boolean;
}

/**
 * Enters the guest's handler, or the task of a task gate. Virtual IF is the caller's to change, but that
 * of a task, which the switch has set.
 * @returns whether the gate clears virtual IF.
 * @throws fault #GP, #NP, #TS, #SS, #PF, with nothing changed. (Only a task gate may throw with the switch
 *   to the new task already made.)
 */
export function enterGuestHandler(core: Core, guest: GuestState, event: GuestEvent): boolean {
  const { state } = core;
  const { vector, errorCode, kind } = event;
  const external = kind === 'software' ? 0 : 1;
  const type = readGate(core, guest, vector, kind, external);
  const pushesError = kind === 'fault' && hasErrorCode(vector);
  if (type === TYPE_TASK_GATE) {
    enterTask(core, gate.gateSelector, external, event.returnEip, flagsImage(core, guest, event));
    if (pushesError) pushTaskError(core, errorCode, external);
    return false;
  }
  const isInterruptGate = type === TYPE_INTERRUPT_GATE32 || type === TYPE_INTERRUPT_GATE16;
  const selector = gate.gateSelector;
  const newCpl = readTarget(core, selector, external);
  const isInner = newCpl < state.cpl;
  const isVirtual8086 = (state.get(L.FLAG_SYSTEM) & EFLAGS_VM) !== 0;
  // DPL 0 to the guest is what is KERNEL_CPL here.
  if (isVirtual8086 && newCpl !== KERNEL_CPL) raise(VECTOR_GP, (selector & 0xfffc) | external);
  const size = type & TYPE_32 ? 4 : 2;
  let stackError = external;
  const stackSelector = (guest.kernelSs & 0xfffc) | newCpl;
  if (isInner) {
    checkStackSegment(core, stack, stackSelector, newCpl, VECTOR_TS, external);
    stackError |= stackSelector & 0xfffc;
    frame.begin(stack.base, stack.limit, stack.access, guest.kernelEsp, size);
    pushOuterStack(core, frame, isVirtual8086);
  } else {
    frame.beginHere(core, size);
  }
  frame.push(flagsImage(core, guest, event));
  frame.push(state.selector(L.SEG_CS));
  frame.push(event.returnEip);
  if (pushesError) frame.push(errorCode);
  frame.checkLimit(stackError);
  const offset = gate.gateOffset;
  if (offset >>> 0 > code.limit >>> 0) raise(VECTOR_GP, external);
  frame.probe(core, newCpl === 3);
  probeAccessed(core, code);
  if (isInner) probeAccessed(core, stack);

  // Nothing faults from here on.
  frame.write(core, newCpl === 3);
  state.set(L.FLAG_SYSTEM, state.get(L.FLAG_SYSTEM) & ~CLEARED_ON_ENTRY);
  if (isInner) {
    if (isVirtual8086) dropVirtualSegments(core);
    markAccessed(core, stack);
    setSegmentFrom(core, L.SEG_SS, stackSelector, stack);
  }
  state.esp = frame.stackPointer;
  markAccessed(core, code);
  setSegmentFrom(core, L.SEG_CS, (selector & 0xfffc) | newCpl, code);
  state.eip = offset;
  setCpl(core, newCpl);
  return isInterruptGate;
}

/**
 * Enters the handler of an interrupt or NMI for which no frame is made: one that lies at ESP is taken
 * for its frame.
 * @param uncover has ESP be at that frame; called once nothing is in the way.
 * @throws fault #GP, #NP, #PF, with nothing changed.
 */
export function enterWithFrame(
  core: Core,
  guest: GuestState,
  vector: number,
  uncover: () => void,
): boolean {
  const { state } = core;
  const type = readGate(core, guest, vector, 'interrupt', 1);
  // A task has no use for a frame.
  if (type === TYPE_TASK_GATE) raise(VECTOR_GP, (vector << 3) | 3);
  const selector = gate.gateSelector;
  const newCpl = readTarget(core, selector, 1);
  const offset = gate.gateOffset;
  if (offset >>> 0 > code.limit >>> 0) raise(VECTOR_GP, 1);
  probeAccessed(core, code);
  uncover();
  state.set(L.FLAG_SYSTEM, state.get(L.FLAG_SYSTEM) & ~CLEARED_ON_ENTRY);
  markAccessed(core, code);
  setSegmentFrom(core, L.SEG_CS, (selector & 0xfffc) | newCpl, code);
  state.eip = offset;
  return type === TYPE_INTERRUPT_GATE32 || type === TYPE_INTERRUPT_GATE16;
}

/** Reads and checks the gate of a vector into `gate`. @returns its type. @throws fault #GP, #NP, #PF. */
function readGate(
  core: Core,
  guest: GuestState,
  vector: number,
  kind: DeliveryKind,
  external: number,
): number {
  const gateCode = (vector << 3) | 2 | external;
  if ((vector << 3) + 7 > (guest.idtLimit & 0xffff)) raise(VECTOR_GP, gateCode);
  const at = (guest.idtBase + (vector << 3)) | 0;
  gate.low = core.mmu.read(at, 4, false);
  gate.high = core.mmu.read((at + 4) | 0, 4, false);
  const type = (gate.high >>> 8) & (ACCESS_TYPE | ACCESS_S);
  const isKnown =
    type === TYPE_INTERRUPT_GATE32 ||
    type === TYPE_INTERRUPT_GATE16 ||
    type === TYPE_TRAP_GATE32 ||
    type === TYPE_TRAP_GATE16 ||
    type === TYPE_TASK_GATE;
  if (!isKnown) raise(VECTOR_GP, gateCode);
  // A gate for the kernel alone is for our kernel's CPL.
  const dpl = Math.max(gate.dpl, KERNEL_CPL);
  if (kind === 'software' && dpl < core.state.cpl) raise(VECTOR_GP, gateCode);
  if (!gate.isPresent) raise(VECTOR_NP, gateCode);
  return type;
}

/** Reads and checks the handler's segment into `code`. @returns the CPL to be. @throws fault #GP, #NP, #PF. */
function readTarget(core: Core, selector: number, external: number): number {
  const { cpl } = core.state;
  if (isNullSelector(selector)) raise(VECTOR_GP, external);
  readDescriptor(core, code, selector, VECTOR_GP, external);
  const codeError = (selector & 0xfffc) | external;
  if (!isCode(code.access) || code.dpl > cpl) raise(VECTOR_GP, codeError);
  if (!code.isPresent) raise(VECTOR_NP, codeError);
  return !isConformingCode(code.access) && code.dpl < cpl ? code.dpl : cpl;
}

/** EFLAGS as native hardware would push them: with virtual IF and IOPL in place of the real ones. */
function flagsImage(core: Core, guest: GuestState, event: GuestEvent): number {
  return (
    (pushedFlags(core.state, event.vector, event.kind) & ~(EFLAGS_IF | EFLAGS_IOPL)) |
    (guest.iopl << EFLAGS_IOPL_SHIFT) |
    (event.interruptFlag ? EFLAGS_IF : 0)
  );
}
