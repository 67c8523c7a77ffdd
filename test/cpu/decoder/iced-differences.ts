/**
 * Where our decoder and iced-x86 differ and are meant to. iced-x86 knows every processor up to the
 * present; ours is a P6 without MMX and what came after. (What ours raises #UD for on execution, and not
 * when it decodes, is no difference in what the guest sees.)
 */
import { CpuidFeature } from 'iced-x86';
import type { Pair } from './iced-comparison.js';

export interface DecoderDifference {
  readonly name: string;
  readonly reason: string;
  appliesTo(pair: Pair): boolean;
}

/** What some level of ours has, by iced's names. */
const FEATURES = new Set<number>([
  CpuidFeature.INTEL8086,
  CpuidFeature.INTEL8086_ONLY,
  CpuidFeature.INTEL186,
  CpuidFeature.INTEL286,
  CpuidFeature.INTEL386,
  CpuidFeature.INTEL486,
  CpuidFeature.CPUID,
  CpuidFeature.CMOV,
  CpuidFeature.CX8,
  CpuidFeature.FPU,
  CpuidFeature.FPU287,
  CpuidFeature.FPU387,
  CpuidFeature.MSR,
  CpuidFeature.MULTIBYTENOP,
  CpuidFeature.SEP,
  CpuidFeature.TSC,
]);

const MOV_FROM_SEGMENT = 0x8c;
const MOV_TO_SEGMENT = 0x8e;
const CS = 1;
const GS = 5;

function isLaterExtension({ iced, isOursUndefined }: Pair): boolean {
  if (!isOursUndefined || iced.isInvalid) return false;
  return iced.cpuidFeatures().some((feature) => !FEATURES.has(feature));
}

/** MOV with segment register 6 or 7, or to CS. */
function namesNoSegment({ iced, ours }: Pair): boolean {
  if (!iced.isInvalid || ours === null) return false;
  const { opcode, reg, lock } = ours.instruction;
  if (opcode !== MOV_FROM_SEGMENT && opcode !== MOV_TO_SEGMENT) return false;
  return !lock && (reg > GS || (opcode === MOV_TO_SEGMENT && reg === CS));
}

function namesNoControlRegister({ iced, ours }: Pair): boolean {
  if (!iced.isInvalid || ours === null) return false;
  const { opcode, reg, lock } = ours.instruction;
  return (opcode === 0x0f20 || opcode === 0x0f22) && !lock && (reg === 1 || reg > 4);
}

function isUndefinedX87({ iced, ours }: Pair): boolean {
  if (!iced.isInvalid || ours === null) return false;
  return !ours.instruction.lock && (ours.instruction.opcode & 0xf8) === 0xd8;
}

/** FXSAVE and FXRSTOR behind 66, F2 or F3. */
function isPrefixedFxsave({ iced, ours }: Pair): boolean {
  if (!iced.isInvalid || ours === null) return false;
  return !ours.instruction.lock && ours.instruction.opcode === 0x0fae;
}

// biome-ignore format: table
export const DECODER_DIFFERENCES: readonly DecoderDifference[] = [
  {
    name: 'later extensions',
    reason: 'MMX, SSE, AVX, VMX, SMM, SYSCALL and the like: what no level of ours has is #UD',
    appliesTo: isLaterExtension,
  },
  {
    name: 'segment registers that do not exist',
    reason: 'MOV with segment register 6 or 7, and MOV to CS, raise #UD when they are executed',
    appliesTo: namesNoSegment,
  },
  {
    name: 'control registers that do not exist',
    reason: 'MOV with CR1 and CR5 to CR7 raises #UD when it is executed',
    appliesTo: namesNoControlRegister,
  },
  {
    name: 'undefined x87 encodings',
    reason: 'the x87 unit itself tells which of its encodings exist',
    appliesTo: isUndefinedX87,
  },
  {
    name: 'prefixes before FXSAVE and FXRSTOR',
    reason: 'a P6 ignores them; they were given a meaning by later processors',
    appliesTo: isPrefixedFxsave,
  },
];
