/** FPREM and FPREM1. */
import { FPU_C0, FPU_C1, FPU_C2, FPU_C3 } from './control-status.js';
import { propagateOne } from './nan.js';
import { KIND_INFINITY, KIND_NO_NUMBER, KIND_ZERO, type Operand, SIGN } from './operand.js';
import { roundToPrecision } from './rounding.js';
import { unit } from './unit.js';

/** Quotient bits that one execution finds at the most. */
const COMPLETE = 64;

/** No condition codes: C2 is cleared, and C0 and C3 stay. */
export const QUOTIENT_UNKNOWN = -1;

/** The rest of a reduction, and the last bits of its quotient. */
const rest = { high: 0, low: 0, quotient: 0 };

/**
 * The unit's result is the remainder of a / b: with the quotient truncated, or, for FPREM1, rounded to
 * nearest. Where the exponents are 64 or more apart only part of the reduction is done: 32 to 63 bits
 * of the quotient, as many as leave a distance of a multiple of 32, as Intel's and AMD's processors do.
 * @returns C0, C2 and C3; C1 is left in the unit. They are the quotient's last bits, or C2 alone;
 *   QUOTIENT_UNKNOWN where there is no quotient.
 */
export function remainder(a: Operand, b: Operand, isNearest: boolean): number {
  const kinds = a.kind | b.kind;
  if (kinds & KIND_NO_NUMBER) {
    propagateOne(a, b);
    return QUOTIENT_UNKNOWN;
  }
  if (a.kind === KIND_INFINITY || b.kind === KIND_ZERO) {
    unit.invalid();
    return QUOTIENT_UNKNOWN;
  }
  if (!unit.admits(kinds)) return QUOTIENT_UNKNOWN;
  if (a.kind === KIND_ZERO) {
    unit.setZero(a.sign);
    return 0;
  }
  const distance = a.exponent - b.exponent;
  if (b.kind === KIND_INFINITY || distance < (isNearest ? -1 : 0)) {
    roundToPrecision(64, a.sign, a.exponent, a.high, a.low, 0);
    return 0;
  }
  rest.high = a.high;
  rest.low = a.low;
  rest.quotient = 0;
  if (distance >= COMPLETE) {
    const bits = 32 + (distance & 31);
    reduce(b, bits);
    setRest(a.sign, b.exponent + distance - bits);
    return FPU_C2;
  }
  let sign = a.sign;
  if (distance >= 0) reduce(b, distance);
  if (isNearest && isRestAboveHalf(b, distance)) {
    sign ^= SIGN;
    rest.quotient += 1;
    complement(b, distance);
  }
  setRest(sign, Math.min(a.exponent, b.exponent));
  return quotientBits(rest.quotient);
}

/** Subtracts from `rest` what it holds of b * 2^shift, b * 2^(shift - 1) ... b. */
function reduce(b: Operand, shift: number): void {
  let { high, low } = rest;
  let quotient = 0;
  let carry = false;
  for (let i = shift; ; i--) {
    quotient <<= 1;
    if (carry || isAtLeast(high, low, b)) {
      const borrow = low >>> 0 < b.low >>> 0 ? 1 : 0;
      low = (low - b.low) | 0;
      high = (high - b.high - borrow) | 0;
      quotient |= 1;
    }
    if (i === 0) break;
    carry = high < 0;
    high = (high << 1) | (low >>> 31);
    low <<= 1;
  }
  rest.high = high;
  rest.low = low;
  rest.quotient = quotient;
}

function isAtLeast(high: number, low: number, b: Operand): boolean {
  return high === b.high ? low >>> 0 >= b.low >>> 0 : high >>> 0 > b.high >>> 0;
}

/** The rest is more than half of b, or just half of it and the quotient is odd. */
function isRestAboveHalf(b: Operand, distance: number): boolean {
  let { high, low } = rest;
  if (distance >= 0) {
    if (high < 0) return true;
    high = (high << 1) | (low >>> 31);
    low <<= 1;
  }
  // Where a's exponent is one below b's, the rest is a, and 2 * a has its significand.
  if (high === b.high && low === b.low) return (rest.quotient & 1) !== 0;
  return isAtLeast(high, low, b);
}

/** rest = b - rest. Where a is below b the rest is a and counts halves of b's last place. */
function complement(b: Operand, distance: number): void {
  // In halves 2 * b - a is less than 2^64, as a is above b / 2.
  const high = distance < 0 ? (b.high << 1) | (b.low >>> 31) : b.high;
  const low = distance < 0 ? b.low << 1 : b.low;
  const borrow = low >>> 0 < rest.low >>> 0 ? 1 : 0;
  rest.low = (low - rest.low) | 0;
  rest.high = (high - rest.high - borrow) | 0;
}

/** The unit's result is the rest, whose top bit has the weight of an exponent. */
function setRest(sign: number, exponent: number): void {
  let { high, low } = rest;
  let e = exponent;
  if ((high | low) === 0) {
    unit.setZero(sign);
    return;
  }
  if (high === 0) {
    high = low;
    low = 0;
    e -= 32;
  }
  const shift = Math.clz32(high);
  if (shift !== 0) {
    high = (high << shift) | (low >>> (32 - shift));
    low <<= shift;
    e -= shift;
  }
  roundToPrecision(64, sign, e, high, low, 0);
}

function quotientBits(quotient: number): number {
  if (quotient & 1) unit.c1 = FPU_C1;
  return (quotient & 4 ? FPU_C0 : 0) | (quotient & 2 ? FPU_C3 : 0);
}
