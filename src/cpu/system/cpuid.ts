/** CPUID: it claims exactly what is built and the model has. Intel SDM vol. 2A, CPUID. */
import type { Core } from '../core.js';
import { FEATURE_APIC } from '../cpuid-features.js';
import type { CpuVendor } from '../model.js';
import { EAX, EBX, ECX, EDX } from '../state-layout.js';

/** "GenuineIntel" and "AuthenticAMD" in the order EBX, EDX, ECX. */
const VENDOR_NAMES: Readonly<Record<CpuVendor, readonly number[]>> = {
  intel: [0x756e6547, 0x49656e69, 0x6c65746e],
  amd: [0x68747541, 0x69746e65, 0x444d4163],
};

/** 0F A2 CPUID. Leaf 1 is the highest, and any leaf above it reads as leaf 1. */
export function cpuid(core: Core): void {
  const { state, model } = core;
  if (state.get(EAX) === 0) {
    state.set(EAX, 1);
    const [ebx, edx, ecx] = VENDOR_NAMES[model.vendor];
    state.set(EBX, ebx);
    state.set(EDX, edx);
    state.set(ECX, ecx);
    return;
  }
  state.set(EAX, model.signature);
  state.set(EBX, 0);
  state.set(ECX, 0);
  const apic = core.bus.localApic?.isEnabled ? FEATURE_APIC : 0;
  state.set(EDX, model.features | apic);
}
