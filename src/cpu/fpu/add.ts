/** Addition and subtraction. */
import { ROUND_DOWN } from './control-status.js';
import { propagateOne } from './nan.js';
import {
  KIND_INFINITY,
  KIND_NO_NUMBER,
  KIND_ZERO,
  type Operand,
  SIGN,
  TOP_BIT,
} from './operand.js';
import { roundingMode, roundResult } from './rounding.js';
import { unit } from './unit.js';

/** The unit's result is a + b. */
export function add(a: Operand, b: Operand): void {
  addSigned(a, b, b.sign);
}

/** The unit's result is a - b. */
export function subtract(a: Operand, b: Operand): void {
  addSigned(a, b, b.sign ^ SIGN);
}

/** The unit's result is b - a. */
export function subtractReverse(a: Operand, b: Operand): void {
  addSigned(b, a, a.sign ^ SIGN);
}

function addSigned(a: Operand, b: Operand, signOfB: number): void {
  const kinds = a.kind | b.kind;
  if (kinds !== 0) {
    if (kinds & KIND_NO_NUMBER) {
      propagateOne(a, b);
      return;
    }
    if (a.kind & b.kind & KIND_INFINITY && a.sign !== signOfB) {
      unit.invalid();
      return;
    }
    if (!unit.admits(kinds)) return;
    if (kinds & (KIND_INFINITY | KIND_ZERO)) {
      addSpecial(a, b, signOfB);
      return;
    }
  }
  // The larger exponent comes first.
  if (a.exponent >= b.exponent) {
    addAligned(a.sign, a.exponent, a.high, a.low, signOfB, b.exponent, b.high, b.low);
  } else {
    addAligned(signOfB, b.exponent, b.high, b.low, a.sign, a.exponent, a.high, a.low);
  }
}

/** One at least is an infinity or zero. */
function addSpecial(a: Operand, b: Operand, signOfB: number): void {
  if (a.kind === KIND_INFINITY) unit.setInfinity(a.sign);
  else if (b.kind === KIND_INFINITY) unit.setInfinity(signOfB);
  else if (a.kind & b.kind & KIND_ZERO) {
    unit.setZero(a.sign === signOfB ? a.sign : signOfExactZero());
  } else if (a.kind === KIND_ZERO) roundResult(signOfB, b.exponent, b.high, b.low, 0);
  else roundResult(a.sign, a.exponent, a.high, a.low, 0);
}

/** The sign of a difference that is exactly zero. */
export function signOfExactZero(): number {
  return roundingMode(unit.control) === ROUND_DOWN ? SIGN : 0;
}

/** Adds finite numbers other than zero. The first has the larger exponent, or the same. */
function addAligned(
  sign: number,
  exponent: number,
  high: number,
  low: number,
  sign2: number,
  exponent2: number,
  high2: number,
  low2: number,
): void {
  let shift = exponent - exponent2;
  let h = high2;
  let l = low2;
  let extra = 0;
  if (shift !== 0) {
    if (shift >= 96) {
      h = 0;
      l = 0;
      extra = 1;
    } else {
      for (; shift >= 32; shift -= 32) {
        extra = l | (extra === 0 ? 0 : 1);
        l = h;
        h = 0;
      }
      if (shift !== 0) {
        const dropped = extra << (32 - shift);
        extra = (extra >>> shift) | (l << (32 - shift)) | (dropped === 0 ? 0 : 1);
        l = (l >>> shift) | (h << (32 - shift));
        h >>>= shift;
      }
    }
  }
  if (sign === sign2) addMagnitudes(sign, exponent, high, low, h, l, extra);
  else subtractMagnitudes(sign, exponent, high, low, h, l, extra);
}

function addMagnitudes(
  sign: number,
  exponent: number,
  high: number,
  low: number,
  high2: number,
  low2: number,
  extra: number,
): void {
  const l = (low + low2) | 0;
  const carry = l >>> 0 < low >>> 0 ? 1 : 0;
  const sum = (high >>> 0) + (high2 >>> 0) + carry;
  const h = sum | 0;
  if (sum < 0x100000000) {
    roundResult(sign, exponent, h, l, extra);
  } else {
    const rest = (extra >>> 1) | (extra & 1) | (l << 31);
    roundResult(sign, exponent + 1, (h >>> 1) | TOP_BIT, (l >>> 1) | (h << 31), rest);
  }
}

/** The second may be the larger one only where it wasn't shifted, so that `extra` is zero. */
function subtractMagnitudes(
  sign: number,
  exponent: number,
  high: number,
  low: number,
  high2: number,
  low2: number,
  extra: number,
): void {
  let s = sign;
  let e = exponent;
  let x = -extra | 0;
  const borrowLow = x === 0 ? 0 : 1;
  let l = (low - low2 - borrowLow) | 0;
  const borrowHigh = (low >>> 0) - (low2 >>> 0) - borrowLow < 0 ? 1 : 0;
  let h = (high - high2 - borrowHigh) | 0;
  if ((high >>> 0) - (high2 >>> 0) - borrowHigh < 0) {
    // Negative: the magnitude is the complement.
    s ^= SIGN;
    l = -l | 0;
    h = l === 0 ? -h | 0 : ~h;
  }
  if ((h | l | x) === 0) {
    unit.setZero(signOfExactZero());
    return;
  }
  while (h === 0) {
    h = l;
    l = x;
    x = 0;
    e -= 32;
  }
  const shift = Math.clz32(h);
  if (shift !== 0) {
    h = (h << shift) | (l >>> (32 - shift));
    l = (l << shift) | (x >>> (32 - shift));
    x <<= shift;
    e -= shift;
  }
  roundResult(s, e, h, l, x);
}
