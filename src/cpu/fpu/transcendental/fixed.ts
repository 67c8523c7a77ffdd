/**
 * Fixed-point numbers of FRACTION bits behind the point, as big integers, for the functions that have
 * no exact result. They carry twice the bits of a result, so that but for one in 2^50 results it is
 * rounded as the exact value would be. Nothing here uses the host's own functions, whose last bits
 * differ from engine to engine.
 */
import { EXPONENT_BIAS } from '../operand.js';
import { roundToPrecision } from '../rounding.js';

/** Bits behind the point. */
export const FRACTION = 128;
export const FRACTION_BITS = BigInt(FRACTION);
export const ONE = 1n << FRACTION_BITS;

/** Cut off from more digits than are kept here. */
export const PI = 0x3243f6a8885a308d313198a2e03707344n;
export const LN2 = 0x0b17217f7d1cf79abc9e3b39803f2f6afn;
export const LOG2_E = 0x171547652b82fe1777d0ffda0d23a7d11n;

/** The product of two fixed-point numbers. */
export function times(a: bigint, b: bigint): bigint {
  return (a * b) >> FRACTION_BITS;
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
const DOUBLE_BIAS = 1023;

/** Bits of a positive big integer below 2^1000. */
export function bitLength(value: bigint): number {
  double[0] = Number(value);
  const length = (halves[1] >>> 20) - DOUBLE_BIAS + 1;
  // The conversion to a double may have rounded up to the next power of two.
  return value >> BigInt(length - 1) === 0n ? length - 1 : length;
}

const KEPT = 96;
const WORD = 32n;

/**
 * The unit's result is value / 2^scale, rounded to 64 bits by the rounding control; inexact in any case,
 * as `value` was cut off.
 * @param value positive.
 */
export function setRounded(sign: number, value: bigint, scale: number): void {
  const length = bitLength(value);
  const excess = length - KEPT;
  const top = excess >= 0 ? value >> BigInt(excess) : value << BigInt(-excess);
  const high = Number(BigInt.asIntN(32, top >> (WORD + WORD)));
  const low = Number(BigInt.asIntN(32, top >> WORD));
  const extra = Number(BigInt.asIntN(32, top)) | 1;
  roundToPrecision(64, sign, length - 1 - scale + EXPONENT_BIAS, high, low, extra);
}

/** A significand of two words as a big integer. */
export function significandOf(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << WORD) | BigInt(low >>> 0);
}
