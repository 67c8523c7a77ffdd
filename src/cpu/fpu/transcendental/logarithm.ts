/** FYL2X and FYL2XP1: y * log2(x), y * log2(x + 1). */
import { EXPONENT_BIAS, type Operand, SIGN } from '../operand.js';
import {
  bitLength,
  FRACTION,
  FRACTION_BITS,
  LOG2_E,
  ONE,
  setRounded,
  significandOf,
  times,
} from './fixed.js';

/** The table has the logarithms of 1 + k / 32. */
const STEPS = 32;
const STEP_BITS = 5n;
const TERMS = 12;
/** x + 1 is x, as far as its logarithm goes. */
const LARGE = 80;
/** Near zero, log2(1 + x) is x * log2 e, but for what rounding sees. */
const NEGLIGIBLE = 140;

/** 1 + z/3 + z^2/5 ...: atanh(s) / s of s^2. */
function series(z: bigint): bigint {
  let sum = 0n;
  for (let i = TERMS; i >= 0; i--) sum = ONE / BigInt(2 * i + 1) + times(z, sum);
  return sum;
}

/** ln(1 + k / 32), by the steps from one to the next. */
function table(): readonly bigint[] {
  const list = [0n];
  for (let k = 1n; k <= BigInt(STEPS); k++) {
    // s = (a - b) / (a + b) of a = 32 + k, b = 32 + k - 1.
    const s = ONE / (2n * BigInt(STEPS) + 2n * k - 1n);
    list.push(list[Number(k) - 1] + 2n * times(s, series(times(s, s))));
  }
  return list;
}

let logarithms: readonly bigint[] | null = null;

/** A logarithm to base 2: value / 2^scale. */
const result = { value: 0n, scale: 0 };

/** log2 of significand / 2^scale, a number other than 1, of at most 256 bits. */
function logarithm(significand: bigint, scale: number): void {
  const length = bitLength(significand);
  const exponent = length - 1 - scale;
  if (exponent === 0 || exponent === -1) {
    const difference = significand - (1n << BigInt(scale));
    const bits = bitLength(difference < 0n ? -difference : difference);
    if (bits < scale - Number(STEP_BITS)) {
      nearOne(difference, bits, scale);
      return;
    }
  }
  logarithms ??= table();
  // m * 2^exponent, m = c * (1 + d), with m from 1 to 2 and c = 1 + k / 32.
  const shift = FRACTION - (length - 1);
  const m = shift >= 0 ? significand << BigInt(shift) : significand >> BigInt(-shift);
  const k = (m - ONE + (ONE >> (STEP_BITS + 1n))) >> (FRACTION_BITS - STEP_BITS);
  const c = ONE + (k << (FRACTION_BITS - STEP_BITS));
  const s = ((m - c) << FRACTION_BITS) / (m + c);
  const natural = logarithms[Number(k)] + 2n * times(s, series(times(s, s)));
  result.value = (BigInt(exponent) << FRACTION_BITS) + times(natural, LOG2_E);
  result.scale = FRACTION;
}

/** log2(1 + difference / 2^scale), with as many bits however near to 1. */
function nearOne(difference: bigint, bits: number, scale: number): void {
  // s = x / (2 + x), with FRACTION bits from its first one on.
  const scaleOfS = FRACTION + scale + 1 - bits;
  const s = (difference << BigInt(scaleOfS)) / ((2n << BigInt(scale)) + difference);
  const z = (s * s) >> BigInt(2 * scaleOfS - FRACTION);
  result.value = 2n * s * series(z) * LOG2_E;
  result.scale = scaleOfS + 2 * FRACTION;
}

/** The unit's result is y * log2(x), for numbers other than zero and x positive and not 1. */
export function setLogarithm(y: Operand, x: Operand): void {
  logarithmOfOperand(x);
  multiplyBy(y);
}

function logarithmOfOperand(x: Operand): void {
  const exponent = x.exponent - EXPONENT_BIAS;
  if (exponent === 0 || exponent === -1) {
    logarithm(significandOf(x.high, x.low), 63 - exponent);
    return;
  }
  // The exponent is left out at first: fixed-point numbers don't hold what is far from 1.
  const isPowerOfTwo = x.high << 1 === 0 && x.low === 0;
  result.value = 0n;
  result.scale = FRACTION;
  if (!isPowerOfTwo) {
    logarithm(significandOf(x.high, x.low), 63);
    // The significand may be so near to 1 that the logarithm came with more digits.
    result.value >>= BigInt(result.scale - FRACTION);
    result.scale = FRACTION;
  }
  result.value += BigInt(exponent) << FRACTION_BITS;
}

/** The unit's result is y * log2(1 + x), for numbers other than zero and x above -1. */
export function setLogarithmOfOnePlus(y: Operand, x: Operand): void {
  const scale = EXPONENT_BIAS + 63 - x.exponent;
  if (scale < 63 - LARGE) {
    logarithmOfOperand(x);
  } else if (scale > 63 + NEGLIGIBLE) {
    const magnitude = significandOf(x.high, x.low) * LOG2_E;
    result.value = x.sign === 0 ? magnitude : -magnitude;
    result.scale = scale + FRACTION;
  } else {
    const significand = significandOf(x.high, x.low);
    const magnitude = scale >= 0 ? significand : significand << BigInt(-scale);
    const places = Math.max(scale, 0);
    logarithm((1n << BigInt(places)) + (x.sign === 0 ? magnitude : -magnitude), places);
  }
  multiplyBy(y);
}

function multiplyBy(y: Operand): void {
  const isNegative = result.value < 0n;
  const magnitude = isNegative ? -result.value : result.value;
  const sign = isNegative ? y.sign ^ SIGN : y.sign;
  const product = magnitude * significandOf(y.high, y.low);
  setRounded(sign, product, result.scale + EXPONENT_BIAS + 63 - y.exponent);
}
