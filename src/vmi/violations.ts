/**
 * What a hypervisor must not let happen to its guest, looked for whenever the guest comes to it. The
 * looking changes nothing.
 */
import { EFLAGS_VM } from '../cpu/eflags.js';
import * as L from '../cpu/state-layout.js';
import type { DeliveryKind } from '../cpu/system/delivery.js';
import { stackMask } from '../cpu/system/stack.js';
import type { GuestCpu } from './emulate.js';
import { KERNEL_CPL } from './layout.js';
import { isInRegion, type Region } from './stubs.js';

/**
 * `nested`: an interrupt is injected on a stack that an exit is about to leave. `stranded`: an interrupt
 * was let in by virtual IF and yet had to wait for the guest to trap. `wrong-stack`: an interrupt is
 * injected in the kernel on a stack that is not flat. `closed-user`: user mode runs with virtual IF
 * clear.
 */
export type ViolationKind = 'nested' | 'stranded' | 'wrong-stack' | 'closed-user';

/** Something that must not happen, and where it was seen. */
export interface Violation {
  readonly kind: ViolationKind;
  /** The number of steps before it. */
  readonly instant: number;
  /** Of the guest, unsigned. */
  readonly eip: number;
}

/** The stack segment is of 32 bits and begins at 0. */
export function isStackFlat({ core: { state } }: GuestCpu): boolean {
  return stackMask(state) === -1 && state.segmentBase(L.SEG_SS) === 0;
}

/**
 * What is wrong as an event comes to the hypervisor.
 * @param isOnExit EIP is in the region's IRET or SYSEXIT.
 * @param isFolded the event gets the frame of that IRET.
 */
export function violationsAt(
  cpu: GuestCpu,
  region: Region,
  kind: DeliveryKind,
  isOnExit: boolean,
  isFolded: boolean,
): Violation[] {
  const { core, shared } = cpu;
  const { state } = core;
  const eip = state.eip >>> 0;
  const found: Violation[] = [];
  const note = (violation: ViolationKind): void => {
    found.push({ kind: violation, instant: core.instant, eip });
  };
  const isKernel = state.cpl === KERNEL_CPL;
  const isInjected = kind === 'interrupt' && isKernel;
  if (isInjected && isOnExit && !isFolded) note('nested');
  if (isInjected && !isStackFlat(cpu)) note('wrong-stack');
  // Within the region the look at what is pending may still come, but for where a call begins.
  const at = linearEip(cpu);
  const mayLook = isKernel && isInRegion(region, at) && !Object.values(region.stubs).includes(at);
  if (isStranded(cpu) && !mayLook) note('stranded');
  const isVirtual8086 = (state.get(L.FLAG_SYSTEM) & EFLAGS_VM) !== 0;
  if (state.cpl === 3 && !isVirtual8086 && !shared.interruptFlag) note('closed-user');
  return found;
}

/**
 * What is wrong as the guest reaches the shared words: a call begins, with an interrupt waiting that virtual
 * IF let in before. The call's own look at what is pending would be too late. Null where nothing is.
 */
export function violationAtCall(cpu: GuestCpu, region: Region): Violation | null {
  const { core } = cpu;
  if (!core.isExecuting || !isStranded(cpu)) return null;
  const at = linearEip(cpu);
  if (!region.marks.has(at) && at !== region.stubs.sysexit) return null;
  return { kind: 'stranded', instant: core.instant, eip: core.state.eip >>> 0 };
}

/** An interrupt waits that was looked at last when virtual IF held it off, and now does not. */
function isStranded({ core, guest, shared }: GuestCpu): boolean {
  return guest.isPendingKnown && shared.interruptFlag && core.state.get(L.INTR) !== 0;
}

function linearEip({ core: { state } }: GuestCpu): number {
  return (state.segmentBase(L.SEG_CS) + state.eip) >>> 0;
}

const TEXTS: Readonly<Record<ViolationKind, string>> = {
  nested: 'an interrupt nests on a stack that the kernel is about to leave',
  stranded: 'an interrupt that virtual IF lets in was left waiting',
  'wrong-stack': 'an interrupt comes to the kernel on a stack that is not flat',
  'closed-user': 'user mode runs with virtual IF clear',
};

/** One line without its instant. */
export function describeViolation({ kind, eip }: Violation): string {
  return `${TEXTS[kind]} (${kind}), EIP ${eip.toString(16).padStart(8, '0')}`;
}
