/** Rounding to a whole number, for FRNDINT, FIST and FBSTP. */
import { FPU_C1, FPU_PE } from './control-status.js';
import { propagate } from './nan.js';
import {
  EXPONENT_BIAS,
  KIND_INFINITY,
  KIND_NO_NUMBER,
  KIND_ZERO,
  type Operand,
  TOP_BIT,
} from './operand.js';
import { noteRounding, ROUNDED_CARRY, roundingMode, Significand } from './rounding.js';
import { unit } from './unit.js';

/** Values from this exponent on are whole: 2^63. */
const WHOLE_EXPONENT = EXPONENT_BIAS + 63;

const work = new Significand();

/** Magnitude of a whole number of up to 64 bits. */
export const whole = { high: 0, low: 0 };

/**
 * Puts |a|, rounded by the unit's control word, into `whole`, and notes PE and C1.
 * @param a finite.
 * @returns false where it takes more than 64 bits; nothing is noted then.
 */
export function toWhole(a: Operand): boolean {
  if (a.kind === KIND_ZERO) {
    whole.high = 0;
    whole.low = 0;
    return true;
  }
  const shift = WHOLE_EXPONENT - a.exponent;
  if (shift < 0) return false;
  work.set(a.high, a.low, 0);
  if (shift > 0) work.shiftRight(shift);
  const rounded = work.round(64, roundingMode(unit.control), a.sign);
  // A value below 2^63 cannot carry out of 64 bits.
  noteRounding(rounded & ~ROUNDED_CARRY);
  whole.high = work.high;
  whole.low = work.low;
  return true;
}

/** Undoes what `toWhole` noted, for a value that turns out not to fit its destination. */
export function forgetRounding(): void {
  unit.exceptions &= ~FPU_PE;
  unit.c1 &= ~FPU_C1;
}

/** FRNDINT: the unit's result is a, rounded to a whole number. */
export function roundToInteger(a: Operand): void {
  if (a.kind & KIND_NO_NUMBER) {
    propagate(a);
    return;
  }
  if (!unit.admits(a.kind)) return;
  if (a.kind === KIND_INFINITY) {
    unit.setInfinity(a.sign);
  } else if (!toWhole(a)) {
    unit.set(a.sign | a.exponent, a.high, a.low);
  } else {
    setWhole(a.sign);
  }
}

/** The unit's result is the number in `whole`, which needs no rounding. */
function setWhole(sign: number): void {
  let { high, low } = whole;
  if ((high | low) === 0) {
    unit.setZero(sign);
    return;
  }
  let exponent = WHOLE_EXPONENT;
  if (high === 0) {
    high = low;
    low = 0;
    exponent -= 32;
  }
  const shift = Math.clz32(high);
  if (shift !== 0) {
    high = (high << shift) | (low >>> (32 - shift));
    low <<= shift;
  }
  unit.set(sign | (exponent - shift), high | TOP_BIT, low);
}
