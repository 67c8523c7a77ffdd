/** CPUID: a plain i686 that claims exactly what is built. Intel SDM vol. 2A, CPUID. */
import type { Core } from '../core.js';
import { EAX, EBX, ECX, EDX } from '../state-layout.js';

/** "GenuineIntel" in the order EBX, EDX, ECX. */
const VENDOR = [0x756e6547, 0x49656e69, 0x6c65746e];
/** Family 6, model 8, stepping 1: a Pentium III by number, though without its FPU, MMX and SSE. */
export const SIGNATURE = 0x681;

const FEATURE_DE = 1 << 2;
const FEATURE_PSE = 1 << 3;
const FEATURE_TSC = 1 << 4;
const FEATURE_MSR = 1 << 5;
const FEATURE_CX8 = 1 << 8;
const FEATURE_APIC = 1 << 9;
const FEATURE_SEP = 1 << 11;
const FEATURE_PGE = 1 << 13;
const FEATURE_CMOV = 1 << 15;

/** EDX of leaf 1, but for the local APIC, which comes and goes with MSR 1Bh. */
const FEATURES =
  FEATURE_DE |
  FEATURE_PSE |
  FEATURE_TSC |
  FEATURE_MSR |
  FEATURE_CX8 |
  FEATURE_SEP |
  FEATURE_PGE |
  FEATURE_CMOV;

/** 0F A2 CPUID. Leaf 1 is the highest, and any leaf above it reads as leaf 1. */
export function cpuid(core: Core): void {
  const { state } = core;
  if (state.get(EAX) === 0) {
    state.set(EAX, 1);
    state.set(EBX, VENDOR[0]);
    state.set(EDX, VENDOR[1]);
    state.set(ECX, VENDOR[2]);
    return;
  }
  state.set(EAX, SIGNATURE);
  state.set(EBX, 0);
  state.set(ECX, 0);
  state.set(EDX, core.bus.localApic?.isEnabled ? FEATURES | FEATURE_APIC : FEATURES);
}
