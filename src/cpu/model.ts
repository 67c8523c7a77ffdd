/**
 * The processors that may be chosen: a 386, a 486 without CPUID, a Pentium, and a P6. What a later one
 * brought is hidden by the earlier ones: instructions (isa/instruction-set.ts), bits of CR0, CR4 and
 * EFLAGS, and CPUID's features. Every feature that is claimed is built.
 *
 * Sources: Intel SDM vol. 3B §22 (compatibility), vol. 2A, CPUID.
 */
import {
  CR0_AM,
  CR0_CD,
  CR0_EM,
  CR0_MP,
  CR0_NE,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  CR4_DE,
  CR4_OSFXSR,
  CR4_PAE,
  CR4_PCE,
  CR4_PGE,
  CR4_PSE,
  CR4_TSD,
} from './control-registers.js';
import * as F from './cpuid-features.js';
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
  EFLAGS_VM,
} from './eflags.js';

/** The processor's generation; 586 is a Pentium, 686 a P6. */
export type CpuLevel = 386 | 486 | 586 | 686;

export const CPU_LEVELS: readonly CpuLevel[] = [386, 486, 586, 686];

/** Whose processor it is: the name that CPUID gives, and the rules that Intel's and AMD's do not share. */
export type CpuVendor = 'intel' | 'amd';

export const CPU_VENDORS: readonly CpuVendor[] = ['intel', 'amd'];

/** What one level has. */
export interface CpuModel {
  readonly level: CpuLevel;
  readonly vendor: CpuVendor;
  /** Family, model and stepping: in EDX after a reset, and in EAX of CPUID's leaf 1. */
  readonly signature: number;
  /** Bits of CR0 that can be written; the others read as zero, but ET as one. */
  readonly cr0: number;
  /** Bits of CR4 that can be set; 0 where there is no CR4. */
  readonly cr4: number;
  /** Flags that exist. No level has VME, so VIF and VIP do not. */
  readonly eflags: number;
  /** EDX of CPUID's leaf 1, but for the local APIC, which comes and goes with MSR 1Bh. */
  readonly features: number;
}

const CR0_386 = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_PG;
const CR0_486 = CR0_386 | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD;
const CR4_586 = CR4_TSD | CR4_DE | CR4_PSE;
/** Deviation: a P6 has MCE, and VME and PVI, too; what isn't built is reserved here. */
const CR4_686 = CR4_586 | CR4_PAE | CR4_PGE | CR4_PCE | CR4_OSFXSR;
const EFLAGS_386 =
  EFLAGS_ARITHMETIC |
  EFLAGS_TF |
  EFLAGS_IF |
  EFLAGS_DF |
  EFLAGS_IOPL |
  EFLAGS_NT |
  EFLAGS_RF |
  EFLAGS_VM;
const EFLAGS_486 = EFLAGS_386 | EFLAGS_AC;
const EFLAGS_586 = EFLAGS_486 | EFLAGS_ID;
const FEATURES_586 =
  F.FEATURE_FPU | F.FEATURE_DE | F.FEATURE_PSE | F.FEATURE_TSC | F.FEATURE_MSR | F.FEATURE_CX8;
const FEATURES_686 =
  FEATURES_586 | F.FEATURE_PAE | F.FEATURE_SEP | F.FEATURE_PGE | F.FEATURE_CMOV | F.FEATURE_FXSR;

// biome-ignore format: table
const MODELS: Readonly<Record<CpuLevel, Omit<CpuModel, 'vendor'>>> = {
  // A 386DX, a 486DX before it had CPUID, a Pentium of 75 MHz and more, a Pentium III.
  386: { level: 386, signature: 0x308, cr0: CR0_386, cr4: 0,       eflags: EFLAGS_386, features: 0 },
  486: { level: 486, signature: 0x404, cr0: CR0_486, cr4: 0,       eflags: EFLAGS_486, features: 0 },
  586: { level: 586, signature: 0x525, cr0: CR0_486, cr4: CR4_586, eflags: EFLAGS_586, features: FEATURES_586 },
  686: { level: 686, signature: 0x681, cr0: CR0_486, cr4: CR4_686, eflags: EFLAGS_586, features: FEATURES_686 },
};

/** The processor of a level. */
export function modelOf(level: CpuLevel, vendor: CpuVendor = 'intel'): CpuModel {
  return { ...MODELS[level], vendor };
}
