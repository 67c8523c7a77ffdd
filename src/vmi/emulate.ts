/**
 * Privileged instructions that trapped at CPL 1, carried out on the guest's behalf.
 *
 * What reaches hardware that is the guest's alone (control and debug registers, MSRs, ports, the TLB) is
 * the processor's own procedure, run with a CPL of 0; what the hypervisor owns is done here.
 */
import { CR0_PE } from '../cpu/control-registers.js';
import type { Core } from '../cpu/core.js';
import type { Decoded } from '../cpu/decoder/decode.js';
import type { Instruction } from '../cpu/decoder/instruction.js';
import { TYPE_32 } from '../cpu/descriptors.js';
import { EFLAGS_IOPL, writeEflags } from '../cpu/eflags.js';
import { raise, VECTOR_GP } from '../cpu/fault.js';
import { loadDataSegment, readSegmented, setCpl, setSegment } from '../cpu/segmentation.js';
import * as L from '../cpu/state-layout.js';
import { IA32_SYSENTER_CS } from '../cpu/system/model-specific.js';
import {
  effectiveAddress,
  readRm,
  withStackPointer,
  wrapOffset,
  writeRegister,
} from '../cpu/system/operands.js';
import { castStackShadow } from '../cpu/system/segment-moves.js';
import { peekStack } from '../cpu/system/stack.js';
import type { GuestState } from './guest-state.js';
import { HOLE, KERNEL_CPL, REAL_GDT, REAL_IDT, REAL_IDT_LIMIT } from './layout.js';
import type { SharedWords } from './shared-words.js';

/** Present, granularity 4 KiB, 32 bits, as SYSENTER and SYSEXIT load them. */
const FLAT_CODE = 0xc09b;
const FLAT_DATA = 0xc093;
const DPL_SHIFT = 5;
const TSS_ESP0 = 4;
const TSS_SS0 = 8;
const TSS16_SP0 = 2;
const TSS16_SS0 = 4;

/** One guest's processor, with what the hypervisor keeps of it. */
export interface GuestCpu {
  readonly core: Core;
  readonly guest: GuestState;
  readonly shared: SharedWords;
}

/**
 * Carries out the instruction at EIP, at CPL 1, and moves EIP on.
 * @param errorCode of the #GP that it trapped with.
 * @returns false for an instruction that doesn't trap for its privilege.
 * @throws fault what the instruction would have thrown at CPL 0, with nothing changed.
 */
export function emulatePrivileged(cpu: GuestCpu, decoded: Decoded, errorCode = 0): boolean {
  const { core, guest, shared } = cpu;
  const { state } = core;
  const { instruction } = decoded;
  const { opcode, reg } = instruction;
  // Only a load of a segment has an error code here.
  if (errorCode !== 0) return loadStackSegment(cpu, instruction);
  switch (opcode) {
    case 0xfa: // CLI
      shared.interruptFlag = false;
      break;
    case 0xfb: // STI
      if (!shared.interruptFlag) state.set(L.SHADOW, L.SHADOW_STI);
      shared.interruptFlag = true;
      break;
    case 0xf4: // HLT
      state.set(L.HALTED, 1);
      break;
    case 0x0f35:
      leaveBySysexit(cpu);
      return true;
    case 0x0f00: // LLDT, LTR
      if (reg !== 2 && reg !== 3) return false;
      runPrivileged(core, decoded);
      if (reg === 3) readKernelStack(core, guest);
      break;
    case 0x0f01:
      if (!emulateTable(cpu, decoded)) return false;
      break;
    case 0x0f22: // MOV CR
      if (reg === 0 && (state.reg32(instruction.rm) & CR0_PE) === 0) raise(VECTOR_GP);
      runPrivileged(core, decoded);
      break;
    case 0x0f30: // WRMSR, RDMSR
    case 0x0f32:
      if (state.get(L.ECX) === IA32_SYSENTER_CS) moveSysenterCs(core, guest, opcode === 0x0f30);
      else runPrivileged(core, decoded);
      break;
    case 0x0f06: // CLTS
    case 0x0f08: // INVD, WBINVD
    case 0x0f09:
    case 0x0f20: // MOV from CR
    case 0x0f21: // MOV DR
    case 0x0f23:
    case 0x0f31: // RDTSC with CR4.TSD
    case 0x0f33: // RDPMC
    case 0xe4: // IN, OUT
    case 0xe5:
    case 0xe6:
    case 0xe7:
    case 0xec:
    case 0xed:
    case 0xee:
    case 0xef:
      runPrivileged(core, decoded);
      break;
    case 0x6c: // INS, OUTS, which move EIP themselves
    case 0x6d:
    case 0x6e:
    case 0x6f:
      runPrivileged(core, decoded);
      return true;
    default:
      return false;
  }
  state.eip = (state.eip + instruction.length) | 0;
  shared.cr0 = state.cr0;
  return true;
}

/** The processor's own procedure, which finds a CPL of 0. @throws fault what it throws. */
function runPrivileged(core: Core, decoded: Decoded): void {
  const { state } = core;
  state.set(L.CPL, 0);
  try {
    runProcedure(core, decoded);
  } finally {
    state.set(L.CPL, KERNEL_CPL);
  }
}

/** The step that it belongs to is counted as one that retires nothing. */
function runProcedure(core: Core, decoded: Decoded): void {
  const { state } = core;
  const unretired = state.f64[L.UNRETIRED >> 3];
  try {
    decoded.encoding.procedure?.(core, decoded.instruction);
  } finally {
    state.f64[L.UNRETIRED >> 3] = unretired;
    state.set(L.ESP_GUARD, 0);
  }
}

const STRING_IO = new Set([0x6c, 0x6d, 0x6e, 0x6f]);
const PORT_IO = new Set([0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef]);
const CLI_STI = new Set([0xfa, 0xfb]);

/**
 * What a task may do at CPL 3 where virtual IOPL is 3: use ports. Its CLI and STI do nothing, since POPF
 * could not be made to undo them.
 * @returns false where it may not.
 * @throws fault what the instruction throws.
 */
export function emulateUserIo({ core, guest }: GuestCpu, decoded: Decoded): boolean {
  const { state } = core;
  const { opcode, length } = decoded.instruction;
  if (guest.iopl !== 3) return false;
  const isString = STRING_IO.has(opcode);
  if (isString || PORT_IO.has(opcode)) {
    writeEflags(state, EFLAGS_IOPL, EFLAGS_IOPL);
    try {
      runProcedure(core, decoded);
    } finally {
      writeEflags(state, 0, EFLAGS_IOPL);
    }
  } else if (!CLI_STI.has(opcode)) return false;
  if (!isString) state.eip = (state.eip + length) | 0;
  return true;
}

/** LGDT, LIDT, LMSW, INVLPG: what the guest loads is noted, and the registers go back to the real tables. */
function emulateTable(cpu: GuestCpu, decoded: Decoded): boolean {
  const { core, guest } = cpu;
  const { state } = core;
  const { reg } = decoded.instruction;
  if (reg !== 2 && reg !== 3 && reg !== 6 && reg !== 7) return false;
  runPrivileged(core, decoded);
  if (reg === 2) {
    guest.gdtBase = state.get(L.GDTR_BASE);
    state.set(L.GDTR_BASE, REAL_GDT | 0);
  } else if (reg === 3) {
    guest.idtBase = state.get(L.IDTR_BASE);
    guest.idtLimit = state.get(L.IDTR_LIMIT);
    state.set(L.IDTR_BASE, REAL_IDT | 0);
    state.set(L.IDTR_LIMIT, REAL_IDT_LIMIT);
  }
  return true;
}

/**
 * Until UpdateKernelStack says otherwise, events from CPL 3 come on the stack of the TSS that was loaded.
 * @throws fault #PF, with nothing changed.
 */
export function readKernelStack(core: Core, guest: GuestState): void {
  const { state } = core;
  const is32 = (state.segmentAccess(L.SEG_TR) & TYPE_32) !== 0;
  takeKernelStack(core, guest, state.segmentBase(L.SEG_TR), is32);
}

/** The same of a TSS that is not loaded yet. @param base its linear address. @throws fault #PF. */
export function takeKernelStack(core: Core, guest: GuestState, base: number, is32: boolean): void {
  const pointer = is32
    ? core.mmu.read((base + TSS_ESP0) | 0, 4, false)
    : core.mmu.read((base + TSS16_SP0) | 0, 2, false);
  guest.kernelSs = core.mmu.read((base + (is32 ? TSS_SS0 : TSS16_SS0)) | 0, 2, false);
  guest.kernelEsp = pointer;
}

/** UpdateKernelStack: EAX points to the TSS, EDX is its ESP0 to be. @throws fault #PF, with nothing changed. */
export function updateKernelStack(cpu: GuestCpu): void {
  const { core, guest } = cpu;
  const { state, mmu } = core;
  const tss = state.get(L.EAX);
  mmu.probeWrite((tss + TSS_ESP0) | 0, 4, false);
  const selector = mmu.read((tss + TSS_SS0) | 0, 2, false);
  mmu.write((tss + TSS_ESP0) | 0, 4, state.get(L.EDX), false);
  guest.kernelSs = selector;
  guest.kernelEsp = state.get(L.EDX);
}

/**
 * MOV SS, POP SS, LSS of a selector with RPL 0, as kernels for CPL 0 have it: loaded with the RPL that
 * CPL 1 needs. EIP moves on.
 * @returns false where it is another instruction, or the RPL isn't what made it trap.
 * @throws fault as the load does, with nothing changed.
 */
function loadStackSegment(cpu: GuestCpu, insn: Instruction): boolean {
  const { core } = cpu;
  const { state } = core;
  const size = insn.operandSize;
  const isMove = insn.opcode === 0x8e && insn.reg === L.SEG_SS;
  const isPop = insn.opcode === 0x17;
  if (!isMove && !isPop && insn.opcode !== 0x0fb2) return false;
  let selector = 0;
  let pointer = 0;
  if (isMove) selector = readRm(core, insn, 2);
  else if (isPop) selector = peekStack(core, 0, size) & 0xffff;
  else {
    const at = effectiveAddress(core, insn);
    pointer = readSegmented(core, insn.segment, at, size);
    selector = readSegmented(core, insn.segment, wrapOffset(insn, at + size), 2);
  }
  if ((selector & 3) !== 0) return false;
  // The stack pointer moves by the width of the stack as it was.
  const popped = withStackPointer(state, state.esp + (isPop ? size : 0));
  loadDataSegment(core, L.SEG_SS, selector | KERNEL_CPL);
  state.esp = popped;
  if (!isMove && !isPop) writeRegister(state, insn.reg, size, pointer);
  else castStackShadow(core);
  state.eip = (state.eip + insn.length) | 0;
  return true;
}

function moveSysenterCs(core: Core, guest: GuestState, isWrite: boolean): void {
  const { state } = core;
  if (isWrite) guest.sysenterCs = state.get(L.EAX);
  else {
    state.set(L.EAX, guest.sysenterCs);
    state.set(L.EDX, 0);
  }
}

/** SYSENTER, which trapped at CPL 3: to the guest's kernel. @returns false where the guest has no entry. */
export function enterBySysenter(cpu: GuestCpu): boolean {
  const { core, guest, shared } = cpu;
  const { state } = core;
  const selector = guest.sysenterCs & 0xfffc;
  if (selector === 0) return false;
  shared.interruptFlag = false;
  state.esp = state.get(L.MSR_SYSENTER_ESP);
  state.eip = state.get(L.MSR_SYSENTER_EIP);
  setFlat(core, L.SEG_CS, selector | KERNEL_CPL, FLAT_CODE, KERNEL_CPL);
  setFlat(core, L.SEG_SS, (selector + 8) | KERNEL_CPL, FLAT_DATA, KERNEL_CPL);
  setCpl(core, KERNEL_CPL);
  return true;
}

/** SYSEXIT: to CPL 3. Virtual IF stays. @throws fault #GP(0) where the guest has no SYSENTER_CS. */
export function leaveBySysexit(cpu: GuestCpu): void {
  const { core, guest } = cpu;
  const { state } = core;
  const selector = guest.sysenterCs & 0xfffc;
  if (selector === 0) raise(VECTOR_GP);
  state.esp = state.get(L.ECX);
  state.eip = state.get(L.EDX);
  setFlat(core, L.SEG_CS, (selector + 16) | 3, FLAT_CODE, 3);
  setFlat(core, L.SEG_SS, (selector + 24) | 3, FLAT_DATA, 3);
  setCpl(core, 3);
}

function setFlat(core: Core, segment: 1 | 2, selector: number, access: number, dpl: number): void {
  setSegment(core, segment, selector, 0, HOLE - 1, access | (dpl << DPL_SHIFT));
}

/** The dword so many bytes above the top of the stack. @throws fault #SS, #PF. */
export function readStack(core: Core, displacement: number): number {
  return peekStack(core, displacement, 4);
}
