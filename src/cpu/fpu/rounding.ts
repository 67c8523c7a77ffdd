/**
 * From an exact result to one that fits: rounding by the control word, overflow and underflow, masked
 * and not. Intel SDM vol. 1 §4.8.4, §8.5.4 to §8.5.6.
 *
 * An exact result comes as 96 bits: the significand and a third word below it, whose last bit stands
 * for all that is further below.
 */
import {
  FPU_C1,
  FPU_EXTENDED_NEAREST,
  FPU_OE,
  FPU_PE,
  FPU_PRECISION_AND_ROUNDING,
  FPU_PRECISION_SHIFT,
  FPU_ROUNDING_SHIFT,
  FPU_UE,
  ROUND_DOWN,
  ROUND_NEAREST,
  ROUND_TO_ZERO,
  ROUND_UP,
} from './control-status.js';
import { EXPONENT_MAX, TOP_BIT } from './operand.js';
import { unit } from './unit.js';

/** Bits of a significand that a result keeps. */
export type Precision = 24 | 53 | 64;

/** By the control word's precision field; 01 is reserved and works as full precision. */
const PRECISIONS: readonly Precision[] = [24, 64, 53, 64];
/** What an unmasked overflow or underflow moves the exponent by, so that a handler can tell the value. */
const WRAP = 24576;

/** A significand on its way: 96 bits. */
export class Significand {
  high = 0;
  low = 0;
  extra = 0;

  set(high: number, low: number, extra: number): void {
    this.high = high;
    this.low = low;
    this.extra = extra;
  }

  /** Shifts right by 1 or more; what drops out is kept in the last bit. */
  shiftRight(count: number): void {
    if (count >= 96) {
      this.set(0, 0, (this.high | this.low | this.extra) === 0 ? 0 : 1);
      return;
    }
    let left = count;
    for (; left >= 32; left -= 32) {
      this.extra = this.low | (this.extra === 0 ? 0 : 1);
      this.low = this.high;
      this.high = 0;
    }
    if (left === 0) return;
    const dropped = this.extra << (32 - left);
    this.extra = (this.extra >>> left) | (this.low << (32 - left)) | (dropped === 0 ? 0 : 1);
    this.low = (this.low >>> left) | (this.high << (32 - left));
    this.high >>>= left;
  }

  /**
   * Rounds to a precision, counted from the top of `high`. What is below it becomes zero.
   * @returns ROUNDED_* bits.
   */
  round(precision: Precision, mode: number, sign: number): number {
    let rest = this.extra;
    let isOdd = this.low & 1;
    if (precision === 53) {
      rest = (this.low << 21) | (rest === 0 ? 0 : 1);
      isOdd = this.low & 0x800;
      this.low &= ~0x7ff;
    } else if (precision === 24) {
      rest = (this.high << 24) | (this.low >>> 8) | ((this.low & 0xff) | rest ? 1 : 0);
      isOdd = this.high & 0x100;
      this.high &= ~0xff;
      this.low = 0;
    }
    this.extra = 0;
    if (rest === 0) return 0;
    if (!roundsAway(mode, sign, rest, isOdd)) return ROUNDED_INEXACT;
    return this.#increment(precision) ? ROUNDED_UP | ROUNDED_CARRY : ROUNDED_UP;
  }

  /** Adds one in the last place of a precision. True when it carries out of the top: `high` is then 0. */
  #increment(precision: Precision): boolean {
    if (precision === 24) {
      this.high = (this.high + 0x100) | 0;
      return this.high === 0;
    }
    this.low = (this.low + (precision === 53 ? 0x800 : 1)) | 0;
    if (this.low !== 0) return false;
    this.high = (this.high + 1) | 0;
    return this.high === 0;
  }
}

/** The value was not exact. */
export const ROUNDED_INEXACT = 1;
/** It was rounded away from zero (and was not exact). */
export const ROUNDED_UP = 3;
/** Rounding carried out of the top. */
export const ROUNDED_CARRY = 4;

/** @param rest the bits below the last place, not zero, as a fraction of it. */
function roundsAway(mode: number, sign: number, rest: number, isOdd: number): boolean {
  switch (mode) {
    case ROUND_NEAREST:
      return rest < 0 && (rest !== TOP_BIT || isOdd !== 0);
    case ROUND_DOWN:
      return sign !== 0;
    case ROUND_UP:
      return sign === 0;
    default:
      return false;
  }
}

/** Masked overflow gives the largest finite number, not infinity. */
export function overflowsToFinite(mode: number, sign: number): boolean {
  return mode === ROUND_TO_ZERO || mode === (sign === 0 ? ROUND_DOWN : ROUND_UP);
}

/** Rounding mode of a control word. */
export function roundingMode(control: number): number {
  return (control >> FPU_ROUNDING_SHIFT) & 3;
}

/** PE and C1 by what `Significand.round` returned. */
export function noteRounding(rounded: number): void {
  if (rounded === 0) return;
  unit.exceptions |= FPU_PE;
  if (rounded & 2) unit.c1 = FPU_C1;
}

const work = new Significand();
const trial = new Significand();

/**
 * Makes the unit's result out of an exact one, by its control word: precision, rounding, masks.
 * @param sign SIGN or 0.
 * @param exponent biased, of any size.
 * @param high has its top bit set.
 */
export function roundResult(
  sign: number,
  exponent: number,
  high: number,
  low: number,
  extra: number,
): void {
  const { control } = unit;
  if (
    (control & FPU_PRECISION_AND_ROUNDING) === FPU_EXTENDED_NEAREST &&
    exponent > 0 &&
    exponent < EXPONENT_MAX - 1
  ) {
    roundPlainly(sign | exponent, high, low, extra);
  } else {
    const precision = PRECISIONS[(control >> FPU_PRECISION_SHIFT) & 3];
    roundToPrecision(precision, sign, exponent, high, low, extra);
  }
}

/** The common case: to nearest, 64 bits, and no carry can overflow. */
function roundPlainly(signExponent: number, high: number, low: number, extra: number): void {
  unit.signExponent = signExponent;
  unit.high = high;
  unit.low = low;
  if (extra === 0) return;
  unit.exceptions |= FPU_PE;
  if (extra >= 0 || (extra === TOP_BIT && (low & 1) === 0)) return;
  unit.c1 = FPU_C1;
  unit.low = (low + 1) | 0;
  if (unit.low !== 0) return;
  unit.high = (high + 1) | 0;
  if (unit.high !== 0) return;
  unit.high = TOP_BIT;
  unit.signExponent = signExponent + 1;
}

/** As `roundResult`, to a given precision. */
export function roundToPrecision(
  precision: Precision,
  sign: number,
  exponent: number,
  high: number,
  low: number,
  extra: number,
): void {
  const { control } = unit;
  const mode = roundingMode(control);
  let biased = exponent;
  work.set(high, low, extra);
  if (exponent <= 0) {
    const isTiny = isTinyAfterRounding(precision, mode, sign, exponent);
    if ((control & FPU_UE) !== 0) {
      roundDenormal(precision, mode, sign, exponent, isTiny);
      return;
    }
    if (isTiny) {
      unit.exceptions |= FPU_UE;
      biased += WRAP;
      if (biased <= 0) {
        // Only FSCALE gets so far.
        unit.exceptions |= FPU_PE;
        unit.setZero(sign);
        return;
      }
    }
  }
  const rounded = work.round(precision, mode, sign);
  if (rounded & ROUNDED_CARRY) {
    work.high = TOP_BIT;
    biased += 1;
  }
  if (biased >= EXPONENT_MAX) {
    unit.exceptions |= FPU_OE;
    if ((control & FPU_OE) !== 0) {
      overflow(precision, mode, sign);
      return;
    }
    biased -= WRAP;
    if (biased >= EXPONENT_MAX) {
      overflow(precision, ROUND_NEAREST, sign);
      return;
    }
  }
  noteRounding(rounded);
  unit.set(sign | biased, work.high, work.low);
}

/** Tininess is found after rounding as if the exponent had no lower bound. Intel SDM vol. 1 §4.9.1.5. */
function isTinyAfterRounding(
  precision: Precision,
  mode: number,
  sign: number,
  exponent: number,
): boolean {
  if (exponent < 0) return true;
  trial.set(work.high, work.low, work.extra);
  return (trial.round(precision, mode, sign) & ROUNDED_CARRY) === 0;
}

function roundDenormal(
  precision: Precision,
  mode: number,
  sign: number,
  exponent: number,
  isTiny: boolean,
): void {
  work.shiftRight(1 - exponent);
  const rounded = work.round(precision, mode, sign);
  if (rounded !== 0 && isTiny) unit.exceptions |= FPU_UE;
  noteRounding(rounded);
  unit.set(sign | (work.high < 0 ? 1 : 0), work.high, work.low);
}

function overflow(precision: Precision, mode: number, sign: number): void {
  unit.exceptions |= FPU_PE;
  if (!overflowsToFinite(mode, sign)) {
    unit.c1 = FPU_C1;
    unit.setInfinity(sign);
    return;
  }
  const high = precision === 24 ? ~0xff : -1;
  const low = precision === 24 ? 0 : precision === 53 ? ~0x7ff : -1;
  unit.set(sign | (EXPONENT_MAX - 1), high, low);
}
