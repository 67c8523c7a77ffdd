/** Ordering and classification. Intel SDM vol. 1 §8.1.3.2, §8.3.6. */
import { FPU_C0, FPU_C2, FPU_C3, FPU_CONDITION, FPU_IE } from './control-status.js';
import {
  KIND_DENORMAL,
  KIND_INFINITY,
  KIND_NO_NUMBER,
  KIND_NORMAL,
  KIND_QUIET_NAN,
  KIND_UNSUPPORTED,
  KIND_ZERO,
  type Operand,
} from './operand.js';
import { unit } from './unit.js';

export const GREATER = 0;
export const LESS = FPU_C0;
export const EQUAL = FPU_C3;
export const UNORDERED = FPU_CONDITION;

/**
 * a against b, as condition codes.
 * @param allowsQuiet a quiet NaN is unordered with no more ado: FUCOM. Else it is invalid.
 */
export function compare(a: Operand, b: Operand, allowsQuiet: boolean): number {
  const kinds = a.kind | b.kind;
  if (kinds & KIND_NO_NUMBER) {
    const offending = allowsQuiet ? KIND_NO_NUMBER & ~KIND_QUIET_NAN : KIND_NO_NUMBER;
    if (kinds & offending) unit.exceptions |= FPU_IE;
    return UNORDERED;
  }
  unit.admits(kinds);
  if (a.kind & b.kind & KIND_ZERO) return EQUAL;
  if (b.kind === KIND_ZERO) return a.sign === 0 ? GREATER : LESS;
  if (a.kind === KIND_ZERO) return b.sign === 0 ? LESS : GREATER;
  if (a.sign !== b.sign) return a.sign === 0 ? GREATER : LESS;
  const order = compareMagnitudes(a, b);
  if (order === 0) return EQUAL;
  return order > 0 === (a.sign === 0) ? GREATER : LESS;
}

/** Above, at or below zero as |a| is above, equal to or below |b|; neither is zero. */
export function compareMagnitudes(a: Operand, b: Operand): number {
  if (a.exponent !== b.exponent) return a.exponent - b.exponent;
  if (a.high !== b.high) return (a.high >>> 0) - (b.high >>> 0);
  return (a.low >>> 0) - (b.low >>> 0);
}

/** What FXAM says of a register that isn't empty. */
export function classify(a: Operand): number {
  switch (a.kind) {
    case KIND_UNSUPPORTED:
      return 0;
    case KIND_NORMAL:
      return FPU_C2;
    case KIND_INFINITY:
      return FPU_C2 | FPU_C0;
    case KIND_ZERO:
      return FPU_C3;
    case KIND_DENORMAL:
      return FPU_C3 | FPU_C2;
    default:
      return FPU_C0;
  }
}

/** What FXAM says of an empty register. */
export const CLASS_EMPTY = FPU_C3 | FPU_C0;
