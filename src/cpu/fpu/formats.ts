/** Single and double precision, integers: into operands, and out of them. Intel SDM vol. 1 §4.2. */
import { FPU_C1, FPU_OE, FPU_PE, FPU_UE } from './control-status.js';
import { propagate } from './nan.js';
import {
  EXPONENT_BIAS,
  KIND_DENORMAL,
  KIND_INFINITY,
  KIND_NO_NUMBER,
  KIND_NORMAL,
  KIND_ZERO,
  type Operand,
  SIGN,
  TOP_BIT,
} from './operand.js';
import { forgetRounding, toWhole, whole } from './round-integer.js';
import {
  noteRounding,
  overflowsToFinite,
  ROUNDED_CARRY,
  roundingMode,
  Significand,
} from './rounding.js';
import { unit } from './unit.js';

const SINGLE_BIAS = 127;
const SINGLE_MAX = 0xff;
const DOUBLE_BIAS = 1023;
const DOUBLE_MAX = 0x7ff;

/** Takes a single-precision value apart. Its denormals stay marked as such. */
export function unpackSingle(into: Operand, word: number): void {
  const sign = (word >>> 16) & SIGN;
  const exponent = (word >>> 23) & SINGLE_MAX;
  const fraction = word << 8;
  if (exponent === SINGLE_MAX) into.setSpecial(sign, fraction | TOP_BIT, 0);
  else if (exponent !== 0) {
    into.setFinite(sign, exponent - SINGLE_BIAS + EXPONENT_BIAS, fraction | TOP_BIT, 0);
  } else {
    into.setFinite(sign, 1 - SINGLE_BIAS + EXPONENT_BIAS, fraction & ~TOP_BIT, 0);
    if (into.kind === KIND_NORMAL) into.kind = KIND_DENORMAL;
  }
}

/** Takes a double-precision value apart, given as two words. */
export function unpackDouble(into: Operand, high: number, low: number): void {
  const sign = (high >>> 16) & SIGN;
  const exponent = (high >>> 20) & DOUBLE_MAX;
  const fractionHigh = (high << 11) | (low >>> 21);
  const fractionLow = low << 11;
  if (exponent === DOUBLE_MAX) into.setSpecial(sign, fractionHigh | TOP_BIT, fractionLow);
  else if (exponent !== 0) {
    const biased = exponent - DOUBLE_BIAS + EXPONENT_BIAS;
    into.setFinite(sign, biased, fractionHigh | TOP_BIT, fractionLow);
  } else {
    const biased = 1 - DOUBLE_BIAS + EXPONENT_BIAS;
    into.setFinite(sign, biased, fractionHigh & ~TOP_BIT, fractionLow);
    if (into.kind === KIND_NORMAL) into.kind = KIND_DENORMAL;
  }
}

/** Takes a signed integer of 16 or 32 bits. */
export function unpackInteger(into: Operand, value: number): void {
  const sign = value < 0 ? SIGN : 0;
  into.setFinite(sign, EXPONENT_BIAS + 31, value < 0 ? -value | 0 : value, 0);
}

/** Takes a signed integer of 64 bits. */
export function unpackInteger64(into: Operand, high: number, low: number): void {
  const isNegative = high < 0;
  const l = isNegative ? -low | 0 : low;
  const h = isNegative ? ~high + (low === 0 ? 1 : 0) : high;
  into.setFinite(isNegative ? SIGN : 0, EXPONENT_BIAS + 63, h | 0, l);
}

/** A value in its destination's format: 16 to 64 bits. What is not needed is not set. */
export const stored = { high: 0, low: 0 };

const work = new Significand();
const trial = new Significand();

/**
 * Converts to single precision, into `stored.low`.
 * @returns false where an unmasked exception forbids to store it.
 */
export function packSingle(a: Operand): boolean {
  if (!toBinary(a, 24, SINGLE_BIAS, SINGLE_MAX)) return false;
  stored.low = (binary.sign << 16) | (binary.exponent << 23) | ((work.high >>> 8) & 0x7fffff);
  return true;
}

/** Converts to double precision, into `stored`. @returns as `packSingle`. */
export function packDouble(a: Operand): boolean {
  if (!toBinary(a, 53, DOUBLE_BIAS, DOUBLE_MAX)) return false;
  stored.high = (binary.sign << 16) | (binary.exponent << 20) | ((work.high >>> 11) & 0xfffff);
  stored.low = (work.high << 21) | (work.low >>> 11);
  return true;
}

/** Sign and exponent of what `toBinary` found; the significand is in `work`. */
const binary = { sign: 0, exponent: 0 };

function toBinary(a: Operand, precision: 24 | 53, bias: number, max: number): boolean {
  binary.sign = a.sign;
  if (a.kind & KIND_NO_NUMBER) {
    propagate(a);
    binary.sign = unit.signExponent & SIGN;
    binary.exponent = max;
    work.set(unit.high, unit.low, 0);
    return !unit.isStopped;
  }
  work.set(a.high, a.low, 0);
  if (a.kind & (KIND_INFINITY | KIND_ZERO)) {
    binary.exponent = a.kind === KIND_ZERO ? 0 : max;
    return true;
  }
  const mode = roundingMode(unit.control);
  const exponent = a.exponent - EXPONENT_BIAS + bias;
  if (exponent <= 0) return toDenormal(precision, mode, exponent);
  const rounded = work.round(precision, mode, a.sign);
  binary.exponent = exponent + (rounded & ROUNDED_CARRY ? 1 : 0);
  if (binary.exponent < max) {
    noteRounding(rounded);
    return true;
  }
  return overflow(mode, max);
}

function toDenormal(precision: 24 | 53, mode: number, exponent: number): boolean {
  trial.set(work.high, work.low, 0);
  const isTiny = exponent < 0 || (trial.round(precision, mode, binary.sign) & ROUNDED_CARRY) === 0;
  if (isTiny && (unit.control & FPU_UE) === 0) {
    unit.exceptions |= FPU_UE;
    return false;
  }
  work.shiftRight(1 - exponent);
  const rounded = work.round(precision, mode, binary.sign);
  if (isTiny && rounded !== 0) unit.exceptions |= FPU_UE;
  noteRounding(rounded);
  binary.exponent = work.high < 0 ? 1 : 0;
  return true;
}

function overflow(mode: number, max: number): boolean {
  unit.exceptions |= FPU_OE;
  if ((unit.control & FPU_OE) === 0) return false;
  unit.exceptions |= FPU_PE;
  if (overflowsToFinite(mode, binary.sign)) {
    binary.exponent = max - 1;
    work.set(-1, -1, 0);
  } else {
    unit.c1 = FPU_C1;
    binary.exponent = max;
    work.set(TOP_BIT, 0, 0);
  }
  return true;
}

/**
 * Converts to a signed integer of 16 or 32 bits by the rounding control, into `stored.low`. What does
 * not fit is invalid, and gives the integer indefinite.
 * @returns false where an unmasked exception forbids to store it.
 */
export function packInteger(a: Operand, bits: 16 | 32): boolean {
  const limit = 2 ** (bits - 1);
  if ((a.kind & (KIND_NO_NUMBER | KIND_INFINITY)) === 0 && toWhole(a)) {
    const largest = a.sign === 0 ? limit - 1 : limit;
    if (whole.high === 0 && whole.low >>> 0 <= largest) {
      stored.low = a.sign === 0 ? whole.low : -whole.low | 0;
      return true;
    }
    forgetRounding();
  }
  unit.invalid();
  stored.low = -limit | 0;
  return !unit.isStopped;
}

/** As `packInteger`, to 64 bits. */
export function packInteger64(a: Operand): boolean {
  if ((a.kind & (KIND_NO_NUMBER | KIND_INFINITY)) === 0 && toWhole(a)) {
    const { high, low } = whole;
    if (high >= 0 || (a.sign !== 0 && high === TOP_BIT && low === 0)) {
      stored.low = a.sign === 0 ? low : -low | 0;
      stored.high = a.sign === 0 ? high : (~high + (low === 0 ? 1 : 0)) | 0;
      return true;
    }
    forgetRounding();
  }
  unit.invalid();
  stored.high = TOP_BIT;
  stored.low = 0;
  return !unit.isStopped;
}
