/** Division and square root, 32 bits of the result at a time. */

import { multiplyHigh } from './multiply.js';
import { propagate, propagateOne } from './nan.js';
import {
  EXPONENT_BIAS,
  KIND_INFINITY,
  KIND_NO_NUMBER,
  KIND_ZERO,
  type Operand,
  TOP_BIT,
} from './operand.js';
import { roundResult } from './rounding.js';
import { unit } from './unit.js';

const TWO_32 = 0x100000000;

/** The unit's result is a / b. */
export function divide(a: Operand, b: Operand): void {
  const kinds = a.kind | b.kind;
  const sign = a.sign ^ b.sign;
  if (kinds !== 0) {
    if (kinds & KIND_NO_NUMBER) {
      propagateOne(a, b);
      return;
    }
    if (a.kind & b.kind & (KIND_INFINITY | KIND_ZERO)) {
      unit.invalid();
      return;
    }
    if (b.kind === KIND_ZERO && a.kind !== KIND_INFINITY) {
      unit.divideByZero(sign);
      return;
    }
    if (!unit.admits(kinds)) return;
    if (a.kind === KIND_INFINITY) {
      unit.setInfinity(sign);
      return;
    }
    if (a.kind === KIND_ZERO || b.kind === KIND_INFINITY) {
      unit.setZero(sign);
      return;
    }
  }
  divideMagnitudes(sign, a.exponent - b.exponent + EXPONENT_BIAS, a.high, a.low, b.high, b.low);
}

/** The unit's result is b / a. */
export function divideReverse(a: Operand, b: Operand): void {
  divide(b, a);
}

// The remainder of a division under way: below the divisor.
let restHigh = 0;
let restLow = 0;

function divideMagnitudes(
  sign: number,
  exponent: number,
  high: number,
  low: number,
  divisorHigh: number,
  divisorLow: number,
): void {
  restHigh = high;
  restLow = low;
  const hasIntegerBit = isAtLeast(high, low, divisorHigh, divisorLow);
  if (hasIntegerBit) subtractFromRest(divisorHigh, divisorLow);
  const h = nextDigit(divisorHigh, divisorLow);
  const l = nextDigit(divisorHigh, divisorLow);
  const x = nextDigit(divisorHigh, divisorLow);
  const sticky = (restHigh | restLow) === 0 ? 0 : 1;
  if (!hasIntegerBit) {
    roundResult(sign, exponent - 1, h, l, x | sticky);
  } else {
    const rest = (l << 31) | (x >>> 1) | (x & 1) | sticky;
    roundResult(sign, exponent, (h >>> 1) | TOP_BIT, (l >>> 1) | (h << 31), rest);
  }
}

function isAtLeast(high: number, low: number, high2: number, low2: number): boolean {
  return high === high2 ? low >>> 0 >= low2 >>> 0 : high >>> 0 > high2 >>> 0;
}

function subtractFromRest(high: number, low: number): void {
  const borrow = restLow >>> 0 < low >>> 0 ? 1 : 0;
  restLow = (restLow - low) | 0;
  restHigh = (restHigh - high - borrow) | 0;
}

/** floor(rest * 2^32 / divisor); the rest becomes the remainder of that. */
function nextDigit(divisorHigh: number, divisorLow: number): number {
  // Doubles are exact enough for an estimate that is off by one at the most.
  const rest = (restHigh >>> 0) * TWO_32 + (restLow >>> 0);
  const divisor = (divisorHigh >>> 0) * TWO_32 + (divisorLow >>> 0);
  const estimate = Math.min(Math.floor((rest / divisor) * TWO_32), TWO_32 - 1);
  let digit = estimate | 0;
  // rest * 2^32 - digit * divisor, in three words.
  const middle = (multiplyHigh(digit, divisorLow) >>> 0) + (Math.imul(digit, divisorHigh) >>> 0);
  const top = (multiplyHigh(digit, divisorHigh) + (middle >= TWO_32 ? 1 : 0)) | 0;
  const low = -Math.imul(digit, divisorLow) | 0;
  const borrowMiddle = low === 0 ? 0 : 1;
  const difference = (restLow >>> 0) - (middle >= TWO_32 ? middle - TWO_32 : middle) - borrowMiddle;
  const over = (restHigh - top - (difference < 0 ? 1 : 0)) | 0;
  restLow = low;
  restHigh = difference | 0;
  if (over < 0) {
    const sum = (restLow >>> 0) + (divisorLow >>> 0);
    restLow = sum | 0;
    restHigh = (restHigh + divisorHigh + (sum >= TWO_32 ? 1 : 0)) | 0;
    digit = (digit - 1) | 0;
  } else if (over > 0 || isAtLeast(restHigh, restLow, divisorHigh, divisorLow)) {
    subtractFromRest(divisorHigh, divisorLow);
    digit = (digit + 1) | 0;
  }
  return digit;
}

/** The unit's result is the square root of a. */
export function squareRoot(a: Operand): void {
  if (a.kind !== 0) {
    if (a.kind & KIND_NO_NUMBER) {
      propagate(a);
      return;
    }
    if (a.kind === KIND_ZERO) {
      unit.setZero(a.sign);
      return;
    }
  }
  if (a.sign !== 0) {
    unit.invalid();
    return;
  }
  if (!unit.admits(a.kind)) return;
  if (a.kind === KIND_INFINITY) {
    unit.setInfinity(0);
    return;
  }
  const unbiased = a.exponent - EXPONENT_BIAS;
  const exponent = (unbiased >> 1) + EXPONENT_BIAS;
  // The radicand is a fraction of 1/4 to 1, and its root one of 1/2 to 1.
  if (unbiased & 1) rootMagnitude(exponent, a.high, a.low, 0);
  else rootMagnitude(exponent, a.high >>> 1, (a.low >>> 1) | (a.high << 31), a.low << 31);
}

/** The root of high:low:next, where `next` has its top bit at the most. */
function rootMagnitude(exponent: number, high: number, low: number, next: number): void {
  // The root's upper word, and what the radicand's upper two words are above its square.
  const upper = (high >>> 0) * TWO_32 + (low >>> 0);
  let root = Math.min(Math.floor(Math.sqrt(upper)), TWO_32 - 1);
  let rest = restOfSquare(high, low, root);
  while (rest < 0) {
    root -= 1;
    rest += 2 * root + 1;
  }
  while (rest > 2 * root) {
    rest -= 2 * root + 1;
    root += 1;
  }
  // The next word d of the root: d is about rest * 2^32 / (2 * root), and
  // (rest * 2^32 + next) - 2 * root * d - d^2 / 2^32 must not be negative.
  const numerator = rest * TWO_32 + (next >>> 0);
  let digit = Math.min(Math.floor(numerator / (2 * root)), TWO_32 - 1);
  const s = root | 0;
  let left = restOfProduct(rest, next, s, digit | 0);
  let d = digit | 0;
  // left * 2^32 - d^2, as a small number of units of 2^32 and a word below.
  let below = -Math.imul(d, d) | 0;
  left -= (multiplyHigh(d, d) >>> 0) + (below === 0 ? 0 : 1);
  while (left < 0) {
    digit -= 1;
    d = digit | 0;
    // (S - 1)^2 is less than S^2 by 2 * (S - 1) + 1.
    const add = 2 * (d >>> 0) + 1;
    const sum = (below >>> 0) + (add % TWO_32);
    below = sum | 0;
    left += 2 * root + Math.floor(add / TWO_32) + (sum >= TWO_32 ? 1 : 0);
  }
  if (isBeyond(left, below, 2 * root + (d >>> 31), d << 1)) {
    // The remainder is more than 2 * S: S + 1 it is.
    const subtract = (d << 1) + 1;
    const difference = (below >>> 0) - (subtract >>> 0);
    left -= 2 * root + (d >>> 31) + (difference < 0 ? 1 : 0);
    below = difference | 0;
    d = (d + 1) | 0;
  }
  // The rest against the root says which side of the middle the root lies; it is never on it.
  let extra = 0;
  if (left !== 0 || below !== 0) {
    extra = isBeyond(left, below, root, d) ? TOP_BIT | 1 : 1;
  }
  roundResult(0, exponent, s, d, extra);
}

/** left:below > high:low, where `left` and `high` may be more than a word. */
function isBeyond(left: number, below: number, high: number, low: number): boolean {
  return left > high || (left === high && below >>> 0 > low >>> 0);
}

/** high:low - root^2, which is exact as it is small. */
function restOfSquare(high: number, low: number, root: number): number {
  const r = root | 0;
  const lowDifference = (low >>> 0) - (Math.imul(r, r) >>> 0);
  const highDifference = (high - multiplyHigh(r, r)) | 0;
  return highDifference * TWO_32 + lowDifference;
}

/** rest * 2^32 + next - 2 * root * digit, which is exact as it is small. */
function restOfProduct(rest: number, next: number, root: number, digit: number): number {
  const productLow = Math.imul(root, digit) >>> 0;
  const productHigh = multiplyHigh(root, digit) >>> 0;
  return (rest - 2 * productHigh) * TWO_32 + ((next >>> 0) - 2 * productLow);
}
