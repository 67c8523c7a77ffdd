/**
 * The published region: the code that patched sites call. It is the guest's own code, executed at its
 * CPL one instruction at a time, so an event may arrive before each of them. HLT, which traps at CPL 1,
 * is how it calls the hypervisor.
 *
 * A site may run on any DS, so the region reaches the shared words through SS alone. All stubs keep all
 * registers but EFLAGS, and EAX where it is the result.
 */
import {
  CALL_CPUID,
  CALL_DISABLE_INTERRUPTS,
  CALL_ENABLE_INTERRUPTS,
  CALL_GET_INTERRUPT_MASK,
  CALL_HALT,
  CALL_SET_INTERRUPT_MASK,
  CALL_SET_IOPL_MASK,
  CALL_UPDATE_KERNEL_STACK,
  type StubName,
} from './calls.js';
import { assembleIret, type IretScheme, type IretStub } from './iret-stubs.js';
import { FIXED_PLACE, type Placement, SHADOW_CR0, VIRTUAL_IF } from './layout.js';
import { type CallMark, IF, type IretStage, RegionCode, type Request, SS } from './region-code.js';

export { IRET_SCHEMES, type IretScheme } from './iret-stubs.js';

/** The region's bytes and what its addresses mean. All addresses are unsigned. */
export interface Region {
  readonly bytes: Uint8Array;
  readonly stubs: Readonly<Record<StubName, number>>;
  /** By the address of each HLT. */
  readonly requests: ReadonlyMap<number, Request>;
  readonly iret: IretStub;
  /** By the address of each instruction of the IRET stub. */
  readonly iretStages: ReadonlyMap<number, IretStage>;
  /** By the address of each instruction that shows a call. */
  readonly marks: ReadonlyMap<number, CallMark>;
  /** The SYSEXIT of its stub. */
  readonly sysexit: number;
  /** The address of every instruction, in order. */
  readonly boundaries: readonly number[];
}

/** A linear address, unsigned, is one of the region's. */
export function isInRegion({ boundaries, bytes }: Region, address: number): boolean {
  return address >= boundaries[0] && address < boundaries[0] + bytes.length;
}

/** Assembles the region for a scheme and a place. */
export function buildRegion(scheme: IretScheme, place: Placement = FIXED_PLACE): Region {
  const code = new RegionCode(place);
  const iret = assembleIret(code, scheme);
  code.align();
  const sysexitStub = code.setInterruptFlag(IF);
  const sysexit = code.insn(0x0f, 0x35);
  const stubs = {
    iret: iret.entry,
    sysexit: sysexitStub,
    sti: sti(code),
    cli: cli(code),
    getInterruptMask: getInterruptMask(code),
    setInterruptMask: setInterruptMask(code),
    halt: requestStub(code, 'halt', CALL_HALT),
    cpuid: requestStub(code, 'cpuid', CALL_CPUID),
    updateKernelStack: requestStub(code, 'update-kernel-stack', CALL_UPDATE_KERNEL_STACK),
    setIopl: requestStub(code, 'set-iopl', CALL_SET_IOPL_MASK),
  };
  return {
    bytes: Uint8Array.from(code.bytes),
    stubs,
    requests: code.requests,
    iret,
    iretStages: code.iretStages,
    marks: code.marks,
    sysexit,
    boundaries: code.boundaries,
  };
}

function sti(code: RegionCode): number {
  code.align();
  const entry = code.setInterruptFlag(IF);
  code.mark(entry, CALL_ENABLE_INTERRUPTS);
  code.deliverAndReturn(CALL_ENABLE_INTERRUPTS);
  return entry;
}

function cli(code: RegionCode): number {
  code.align();
  const entry = code.setInterruptFlag(0);
  code.mark(entry, CALL_DISABLE_INTERRUPTS);
  code.ret();
  return entry;
}

function getInterruptMask(code: RegionCode): number {
  code.align();
  const entry = code.insn(SS, 0xa1, VIRTUAL_IF);
  code.mark(entry, CALL_GET_INTERRUPT_MASK, { givesValue: true });
  code.ret();
  return entry;
}

function setInterruptMask(code: RegionCode): number {
  code.align();
  // TEST AH, 2; JZ over what enables.
  const entry = code.insn(0xf6, 0xc4, 0x02);
  const jump = code.insn(0x74, 0);
  code.mark(code.setInterruptFlag(IF), CALL_SET_INTERRUPT_MASK, { takesEax: true });
  code.deliverAndReturn(CALL_SET_INTERRUPT_MASK);
  code.patchJump(jump, code.here);
  code.mark(code.setInterruptFlag(0), CALL_SET_INTERRUPT_MASK, { takesEax: true });
  code.ret();
  return entry;
}

function requestStub(code: RegionCode, kind: Request['kind'], call: number): number {
  code.align();
  const entry = code.request(kind, call);
  code.ret();
  return entry;
}

/** CALL rel32 to an address. */
export function encodeCall(site: number, target: number): number[] {
  const relative = (target - site - 5) | 0;
  return [0xe8, relative & 0xff, (relative >> 8) & 0xff, (relative >> 16) & 0xff, relative >>> 24];
}

/** MOV EAX, [SHADOW_CR0]. */
export function encodeLoadCr0(): number[] {
  return [0xa1, SHADOW_CR0 & 0xff, (SHADOW_CR0 >> 8) & 0xff, (SHADOW_CR0 >> 16) & 0xff, 0];
}
