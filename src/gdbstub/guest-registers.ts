/** The registers of an emulated i386 in the order and form that `I386_LAYOUT` gives them. */
import type { Core } from '../cpu/core.js';
import {
  EFLAGS_AC,
  EFLAGS_ARITHMETIC,
  EFLAGS_DF,
  EFLAGS_ID,
  EFLAGS_IF,
  EFLAGS_IOPL,
  EFLAGS_NT,
  EFLAGS_RF,
  EFLAGS_TF,
  readEflags,
  writeEflags,
} from '../cpu/eflags.js';
import { VECTOR_NMI } from '../cpu/fault.js';
import { tagWord } from '../cpu/fpu/instructions/environment.js';
import { wordOf } from '../cpu/fpu/registers.js';
import type { SegmentIndex, State } from '../cpu/state.js';
import * as L from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';
import { fromLittleEndian, littleEndian } from './bytes.js';
import { I386_LAYOUT } from './i386-registers.js';
import { registerBytes } from './register-layout.js';

type Getter = (core: Core) => number;

function word(offset: number): Getter {
  return (core) => core.state.get(offset);
}

const GENERAL: Readonly<Record<string, number>> = {
  eax: L.EAX,
  ecx: L.ECX,
  edx: L.EDX,
  ebx: L.EBX,
  esp: L.ESP,
  ebp: L.EBP,
  esi: L.ESI,
  edi: L.EDI,
  eip: L.EIP,
  cr2: L.CR2,
};

const SEGMENTS: Readonly<Record<string, SegmentIndex>> = {
  es: L.SEG_ES,
  cs: L.SEG_CS,
  ss: L.SEG_SS,
  ds: L.SEG_DS,
  fs: L.SEG_FS,
  gs: L.SEG_GS,
};

/** How each register is read, but for those of MACHINE_GETTERS and the x87's stack. */
const GETTERS: Readonly<Record<string, Getter>> = {
  ...mapped(GENERAL, word),
  eflags: (core) => readEflags(core.state),
  ...mapped(SEGMENTS, (segment) => (core) => core.state.selector(segment)),
  ...Object.fromEntries(
    Object.entries(SEGMENTS).map(([name, segment]): [string, Getter] => [
      `${name}_base`,
      (core) => core.state.segmentBase(segment),
    ]),
  ),
  cr0: word(L.CR0),
  cr3: word(L.CR3),
  cr4: word(L.CR4),
  dr0: word(L.DR0),
  dr1: word(L.DR0 + 4),
  dr2: word(L.DR0 + 8),
  dr3: word(L.DR0 + 12),
  dr6: word(L.DR6),
  dr7: word(L.DR7),
  gdtr_base: word(L.GDTR_BASE),
  gdtr_limit: word(L.GDTR_LIMIT),
  idtr_base: word(L.IDTR_BASE),
  idtr_limit: word(L.IDTR_LIMIT),
  tr: (core) => core.state.selector(L.SEG_TR),
  ldtr: (core) => core.state.selector(L.SEG_LDTR),
  cpl: word(L.CPL),
  vif: ({ interceptor }) => (interceptor?.acceptsInterrupts === true ? 1 : 0),
  vpend: ({ interceptor }) => (interceptor?.isPending === true ? 1 : 0),
  irq_shadow: word(L.SHADOW),
  instant: (core) => core.instant,
  fctrl: word(L.FPU_CONTROL),
  fstat: word(L.FPU_STATUS),
  ftag: (core) => tagWord(core.state),
  fiseg: word(L.FPU_CODE_SELECTOR),
  fioff: word(L.FPU_CODE_OFFSET),
  foseg: word(L.FPU_DATA_SELECTOR),
  fooff: word(L.FPU_DATA_OFFSET),
  fop: word(L.FPU_OPCODE),
};

/** Bits of EFLAGS that may be set. VM, VIF and VIP would mean another mode of the processor. */
const EFLAGS_SETTABLE =
  EFLAGS_ARITHMETIC |
  EFLAGS_TF |
  EFLAGS_IF |
  EFLAGS_DF |
  EFLAGS_IOPL |
  EFLAGS_NT |
  EFLAGS_RF |
  EFLAGS_AC |
  EFLAGS_ID;

/** Registers of the machine around the processor. */
const MACHINE_GETTERS: Readonly<Record<string, (machine: Machine) => number>> = {
  pending_vector: pendingVector,
  pic_irr: ({ pic }) => pic.irr,
  pic_isr: ({ pic }) => pic.isr,
  pic_imr: ({ pic }) => pic.imr,
};

/** The vector that waits for the processor to take it, of an NMI or of an interrupt; -1 where none does. */
export function pendingVector({ cpu, apic, pic }: Machine): number {
  const { state } = cpu.core;
  if (state.get(L.NMI_PENDING) !== 0) return VECTOR_NMI;
  if (state.get(L.INTR) === 0) return -1;
  const own = apic?.isEnabled === true ? apic.pendingVector : -1;
  return own < 0 ? pic.pendingVector : own;
}

const READERS: readonly (Getter | null)[] = I386_LAYOUT.registers.map(
  ({ name }) => (GETTERS as Partial<Record<string, Getter>>)[name] ?? null,
);

const STACK_REGISTERS = ['st0', 'st1', 'st2', 'st3', 'st4', 'st5', 'st6', 'st7'];

/** ST(i): significand, then sign and exponent. Of an empty register what was in it last. */
function stackRegister(state: State, i: number, bytes: number): Uint8Array {
  const at = wordOf(state, i) * 4;
  return state.u8.slice(at, at + bytes);
}

/** The bytes of a register, low byte first. Changes nothing. */
export function readRegister(machine: Machine, index: number): Uint8Array {
  const register = I386_LAYOUT.registers[index];
  const place = STACK_REGISTERS.indexOf(register.name);
  if (place >= 0) return stackRegister(machine.cpu.core.state, place, registerBytes(register));
  const ofMachine = (MACHINE_GETTERS as Partial<typeof MACHINE_GETTERS>)[register.name];
  const value = ofMachine?.(machine) ?? READERS[index]?.(machine.cpu.core) ?? 0;
  return littleEndian(value, registerBytes(register));
}

/** Why the register can't be set to another value, or null when it can. */
export function refusalToWrite(index: number): string | null {
  const { name } = I386_LAYOUT.registers[index];
  if (name in GENERAL || name === 'eflags') return null;
  if (name === 'instant') return '$instant cannot be set; use "monitor seek"';
  return `$${name} cannot be set: of the processor, gdb can set general registers, eip, eflags and cr2`;
}

/** Sets a register for which `refusalToWrite` has nothing to say. Changes guest state. */
export function writeRegister(core: Core, index: number, bytes: Uint8Array): void {
  const { name } = I386_LAYOUT.registers[index];
  const value = fromLittleEndian(bytes) | 0;
  if (name === 'eflags') writeEflags(core.state, value, EFLAGS_SETTABLE);
  else core.state.set(GENERAL[name], value);
  core.attention();
}

function mapped<T>(
  from: Readonly<Record<string, T>>,
  getter: (value: T) => Getter,
): Record<string, Getter> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, getter(value)]));
}
