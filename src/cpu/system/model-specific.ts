/**
 * RDMSR, WRMSR, RDTSC and RDPMC.
 *
 * The registers that exist are the time-stamp counter, IA32_APIC_BASE where there is a local APIC, and on a
 * P6 the SYSENTER triple, the platform and the microcode's revision, both 0. Deviation: there are no
 * performance counters, so RDPMC always faults; a P6 has two.
 */
import type { LocalApicMsr } from '../bus.js';
import { CR4_TSD } from '../control-registers.js';
import type { Core } from '../core.js';
import { FEATURE_SEP } from '../cpuid-features.js';
import { raise, VECTOR_GP } from '../fault.js';
import {
  EAX,
  ECX,
  EDX,
  MSR_SYSENTER_CS,
  MSR_SYSENTER_EIP,
  MSR_SYSENTER_ESP,
  TSC_OFFSET,
} from '../state-layout.js';
import { requireCpl0 } from './operands.js';

/** Numbers of model-specific registers. Intel SDM vol. 4. */
export const IA32_TIME_STAMP_COUNTER = 0x10;
export const IA32_PLATFORM_ID = 0x17;
export const IA32_APIC_BASE = 0x1b;
export const IA32_BIOS_SIGN_ID = 0x8b;
export const IA32_SYSENTER_CS = 0x174;
export const IA32_SYSENTER_ESP = 0x175;
export const IA32_SYSENTER_EIP = 0x176;

const TWO_TO_32 = 0x1_0000_0000;

/** State offset of a 32-bit register by its number in ECX. @throws fault #GP(0) where there is none. */
function sysenterRegister(core: Core, number: number): number {
  if (!isP6(core)) raise(VECTOR_GP, 0);
  switch (number) {
    case IA32_SYSENTER_CS:
      return MSR_SYSENTER_CS;
    case IA32_SYSENTER_ESP:
      return MSR_SYSENTER_ESP;
    case IA32_SYSENTER_EIP:
      return MSR_SYSENTER_EIP;
    default:
      return raise(VECTOR_GP, 0);
  }
}

/** The registers that came with the P6 are there. */
function isP6(core: Core): boolean {
  return (core.model.features & FEATURE_SEP) !== 0;
}

/** The local APIC. @throws fault #GP(0) where there is none. */
function localApic(core: Core): LocalApicMsr {
  return core.bus.localApic ?? raise(VECTOR_GP, 0);
}

/** Sets EDX:EAX to the time-stamp counter, which is asked for once. */
function loadTimestamp(core: Core): void {
  const { state } = core;
  const timestamp = core.bus.readTimestamp() + state.f64[TSC_OFFSET >> 3];
  const low = timestamp % TWO_TO_32;
  state.set(EAX, low | 0);
  state.set(EDX, ((timestamp - low) / TWO_TO_32) | 0);
}

/** 0F 32 RDMSR. @throws fault #GP(0) unless CPL is 0, and for a register that doesn't exist. */
export function rdmsr(core: Core): void {
  const { state } = core;
  requireCpl0(core);
  const number = state.get(ECX);
  if (number === IA32_TIME_STAMP_COUNTER) {
    loadTimestamp(core);
    return;
  }
  if (number === IA32_APIC_BASE) {
    const apic = localApic(core);
    state.set(EAX, apic.baseLow);
    state.set(EDX, apic.baseHigh);
    return;
  }
  const isIdentity = number === IA32_PLATFORM_ID || number === IA32_BIOS_SIGN_ID;
  const value = isIdentity && isP6(core) ? 0 : state.get(sysenterRegister(core, number));
  state.set(EAX, value);
  state.set(EDX, 0);
}

/**
 * 0F 30 WRMSR. EDX counts for IA32_APIC_BASE alone: a write to the time-stamp counter clears its upper half, as on all
 * models before the Pentium 4 (Intel SDM vol. 3B §17.17), and the SYSENTER registers have 32 bits.
 * @throws fault #GP(0) unless CPL is 0, for a register that doesn't exist, and for reserved bits.
 */
export function wrmsr(core: Core): void {
  const { state } = core;
  requireCpl0(core);
  const number = state.get(ECX);
  const value = state.get(EAX);
  if (number === IA32_TIME_STAMP_COUNTER) {
    state.f64[TSC_OFFSET >> 3] = (value >>> 0) - core.bus.readTimestamp();
    return;
  }
  if (number === IA32_APIC_BASE) {
    if (!localApic(core).writeBase(value, state.get(EDX))) raise(VECTOR_GP, 0);
    return;
  }
  // Software clears it and executes CPUID, which loads the revision. Deviation: no other value is kept.
  if (number === IA32_BIOS_SIGN_ID && isP6(core)) return;
  state.set(sysenterRegister(core, number), value);
}

/** 0F 31 RDTSC. @throws fault #GP(0) where CR4.TSD is set and CPL isn't 0. */
export function rdtsc(core: Core): void {
  if (core.state.cr4 & CR4_TSD) requireCpl0(core);
  loadTimestamp(core);
}

/** 0F 33 RDPMC. @throws fault #GP(0) always. */
export function rdpmc(): void {
  raise(VECTOR_GP, 0);
}
