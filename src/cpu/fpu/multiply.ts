/** Multiplication. */
import { propagateOne } from './nan.js';
import {
  EXPONENT_BIAS,
  KIND_INFINITY,
  KIND_NO_NUMBER,
  KIND_ZERO,
  type Operand,
} from './operand.js';
import { roundResult } from './rounding.js';
import { unit } from './unit.js';

/** The upper word of the product of two unsigned words. */
export function multiplyHigh(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const t = (Math.imul(ah, bl) + (Math.imul(al, bl) >>> 16)) | 0;
  const u = (Math.imul(al, bh) + (t & 0xffff)) | 0;
  return (Math.imul(ah, bh) + (t >>> 16) + (u >>> 16)) | 0;
}

/** The unit's result is a * b. */
export function multiply(a: Operand, b: Operand): void {
  const kinds = a.kind | b.kind;
  const sign = a.sign ^ b.sign;
  if (kinds !== 0) {
    if (kinds & KIND_NO_NUMBER) {
      propagateOne(a, b);
      return;
    }
    if ((kinds & (KIND_INFINITY | KIND_ZERO)) === (KIND_INFINITY | KIND_ZERO)) {
      unit.invalid();
      return;
    }
    if (!unit.admits(kinds)) return;
    if (kinds & KIND_INFINITY) {
      unit.setInfinity(sign);
      return;
    }
    if (kinds & KIND_ZERO) {
      unit.setZero(sign);
      return;
    }
  }
  multiplyMagnitudes(sign, a.exponent + b.exponent - EXPONENT_BIAS, a.high, a.low, b.high, b.low);
}

function multiplyMagnitudes(
  sign: number,
  exponent: number,
  high: number,
  low: number,
  high2: number,
  low2: number,
): void {
  const lowest = Math.imul(low, low2);
  const second =
    (multiplyHigh(low, low2) >>> 0) + (Math.imul(low, high2) >>> 0) + (Math.imul(high, low2) >>> 0);
  const third =
    (multiplyHigh(low, high2) >>> 0) +
    (multiplyHigh(high, low2) >>> 0) +
    (Math.imul(high, high2) >>> 0) +
    carryOf(second);
  const h = (multiplyHigh(high, high2) + carryOf(third)) | 0;
  const l = third | 0;
  const x = second | 0;
  const sticky = lowest === 0 ? 0 : 1;
  if (h < 0) roundResult(sign, exponent + 1, h, l, x | sticky);
  else {
    const shiftedX = (x << 1) | (lowest >>> 31);
    const below = lowest << 1 === 0 ? 0 : 1;
    roundResult(sign, exponent, (h << 1) | (l >>> 31), (l << 1) | (x >>> 31), shiftedX | below);
  }
}

/** What a sum of a few words carries into the next. */
function carryOf(sum: number): number {
  return (sum / 0x100000000) | 0;
}
