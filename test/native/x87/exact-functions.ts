/**
 * The transcendental functions to 512 bits behind the point, by plain series and by other formulas than
 * the emulator's, to measure its last bits against. Slow.
 */
import type { Value } from './random.js';

const BITS = 512n;
const ONE = 1n << BITS;
const EXPONENT_BIAS = 16383;
/** Pi with the 66 bits that processors reduce by, in units of 2^-64. */
const PI_66 = 0x3243f6a8885a308d3n;

function times(a: bigint, b: bigint): bigint {
  return (a * b) >> BITS;
}

function ratio(a: bigint, b: bigint): bigint {
  return (a << BITS) / b;
}

/** An 80-bit number of less than 512 bits behind the point as a fixed-point number. */
export function fixed([signExponent, high, low]: Value): bigint {
  const significand = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  const shift = (signExponent & 0x7fff) - EXPONENT_BIAS - 63 + Number(BITS);
  const magnitude = shift >= 0 ? significand << BigInt(shift) : significand >> BigInt(-shift);
  return signExponent & 0x8000 ? -magnitude : magnitude;
}

/** Sums terms, each made of the one before, until they vanish. */
function series(first: bigint, next: (term: bigint, n: bigint) => bigint): bigint {
  let sum = 0n;
  let term = first;
  for (let n = 1n; term > 1n || term < -1n; n += 1n) {
    sum += term;
    term = next(term, n);
  }
  return sum;
}

function sineNearZero(x: bigint): bigint {
  const square = times(x, x);
  return series(x, (term, n) => -times(term, square) / (2n * n * (2n * n + 1n)));
}

function cosineNearZero(x: bigint): bigint {
  const square = times(x, x);
  return series(ONE, (term, n) => -times(term, square) / (2n * n * (2n * n - 1n)));
}

/** sin(x + quadrants * pi / 2). */
function sineFrom(x: bigint, quadrants: bigint): bigint {
  const half = PI_66 << (BITS - 65n);
  const quotient = (2n * x + half) / (2n * half) - (2n * x + half < 0n ? 1n : 0n);
  const rest = x - quotient * half;
  const quadrant = (((quotient + quadrants) % 4n) + 4n) % 4n;
  const value = quadrant & 1n ? cosineNearZero(rest) : sineNearZero(rest);
  return quadrant & 2n ? -value : value;
}

export function sine(x: bigint): bigint {
  return sineFrom(x, 0n);
}
export function cosine(x: bigint): bigint {
  return sineFrom(x, 1n);
}
export function tangent(x: bigint): bigint {
  return ratio(sine(x), cosine(x));
}

function inverseTangentNearZero(x: bigint, sign: bigint): bigint {
  const square = times(x, x);
  let power = x;
  let sum = 0n;
  for (let n = 1n; power > 1n || power < -1n; n += 2n) {
    sum += power / n;
    power = sign * times(power, square);
  }
  return sum;
}

function root(value: bigint): bigint {
  let x = value > ONE ? value : ONE;
  for (;;) {
    const next = (x + ratio(value, x)) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** The arctangent of a positive number, by halving the angle. */
function arctangent(x: bigint): bigint {
  const HALVINGS = 4;
  let t = x;
  for (let i = 0; i < HALVINGS; i++) t = ratio(t, ONE + root(ONE + times(t, t)));
  return inverseTangentNearZero(t, -1n) << BigInt(HALVINGS);
}

const PI = 4n * arctangent(ONE);

/** The angle of the point (x, y). */
export function angle(y: bigint, x: bigint): bigint {
  const [height, width] = [y < 0n ? -y : y, x < 0n ? -x : x];
  const acute = arctangent(ratio(height, width));
  const positive = x < 0n ? PI - acute : acute;
  return y < 0n ? -positive : positive;
}

function logarithm(x: bigint): bigint {
  let m = x;
  let exponent = 0n;
  for (; 2n * m > 3n * ONE; exponent += 1n) m >>= 1n;
  for (; 4n * m < 3n * ONE; exponent -= 1n) m <<= 1n;
  return 2n * inverseTangentNearZero(ratio(m - ONE, m + ONE), 1n) + exponent * LN2;
}

const LN2 = 2n * inverseTangentNearZero(ONE / 3n, 1n);

/** y * log2(x). */
export function timesLogarithm(y: bigint, x: bigint): bigint {
  return times(y, ratio(logarithm(x), LN2));
}

/** y * log2(1 + x). */
export function timesLogarithmOfOnePlus(y: bigint, x: bigint): bigint {
  return timesLogarithm(y, ONE + x);
}

/** 2^x - 1. */
export function powerLessOne(x: bigint): bigint {
  const w = times(x, LN2);
  return series(w, (term, n) => times(term, w) / (n + 1n));
}

/** How far an 80-bit result is from the exact value, in units of its last place. */
export function errorInUlps(result: Value, exact: bigint): number {
  const difference = fixed(result) - exact;
  const place = (result[0] & 0x7fff) - EXPONENT_BIAS - 63 + Number(BITS);
  // Twenty more bits than the place, so that a double holds the quotient well.
  return Number((difference < 0n ? -difference : difference) >> BigInt(place - 20)) / 2 ** 20;
}
