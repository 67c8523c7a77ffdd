/**
 * Sine, cosine and tangent. Intel SDM vol. 1 §8.3.8 and §8.3.10.
 *
 * Arguments are reduced exactly, by the 66 bits of pi that the processors use: far from zero results are
 * those of that pi.
 */
import { EXPONENT_BIAS, type Operand, SIGN } from '../operand.js';
import { FRACTION, FRACTION_BITS, ONE, setRounded, significandOf, times } from './fixed.js';

/** Pi in 66 bits, 64 of them behind the point: half of it in units of 2^-65. */
const PI_66 = 0x3243f6a8885a308d3n;
const UNIT_BITS = 65;
/** An argument of this magnitude or more is not reduced: C2. */
const LIMIT_EXPONENT = EXPONENT_BIAS + 63;
/** Below 1/4 there is nothing to reduce. */
const REDUCED_EXPONENT = EXPONENT_BIAS - 2;

const TERMS = 18;

/** 1 / n! for n of one parity: 1, 1/3!, 1/5! ... or 1, 1/2!, 1/4! ... */
function reciprocals(first: bigint): readonly bigint[] {
  const list = [ONE];
  let term = ONE;
  for (let i = 1n; i < BigInt(TERMS); i++) {
    const n = 2n * i + first;
    term /= n * (n - 1n);
    list.push(term);
  }
  return list;
}

const SINE_TERMS = reciprocals(1n);
const COSINE_TERMS = reciprocals(0n);

/** 1 - t1 * z + t2 * z^2 ..., just below 1 where that rounds to 1. */
function alternating(terms: readonly bigint[], z: bigint): bigint {
  let sum = 0n;
  for (let i = TERMS - 1; i >= 0; i--) sum = terms[i] - times(z, sum);
  return sum >= ONE ? ONE - 1n : sum;
}

/** What is left of an argument: |x| = quadrant * pi / 2 + r, with r = sign rest / 2^scale. */
const reduced = { quadrant: 0, isNegative: false, rest: 0n, scale: 0 };

/** The argument can be reduced. */
export function isReducible(a: Operand): boolean {
  return a.exponent < LIMIT_EXPONENT;
}

function reduce(a: Operand): void {
  const significand = significandOf(a.high, a.low);
  const scale = EXPONENT_BIAS + 63 - a.exponent;
  reduced.isNegative = false;
  if (a.exponent < REDUCED_EXPONENT) {
    reduced.quadrant = 0;
    reduced.rest = significand;
    reduced.scale = scale;
    return;
  }
  const x = significand << BigInt(UNIT_BITS - scale);
  let quotient = x / PI_66;
  let rest = x - quotient * PI_66;
  if (2n * rest > PI_66) {
    quotient += 1n;
    rest = PI_66 - rest;
    reduced.isNegative = true;
  }
  reduced.quadrant = Number(quotient & 3n);
  reduced.rest = rest;
  reduced.scale = UNIT_BITS;
}

/** The square of the rest. */
function square(): bigint {
  const shift = 2 * reduced.scale - FRACTION;
  const product = reduced.rest * reduced.rest;
  return shift >= 0 ? product >> BigInt(shift) : product << BigInt(-shift);
}

/** The unit's result is the sine of the reduced argument, turned on by some quadrants. */
function setSine(sign: number, turn: number): void {
  const quadrant = reduced.quadrant + turn;
  const isCosine = (quadrant & 1) !== 0;
  let s = quadrant & 2 ? sign ^ SIGN : sign;
  if (isCosine) {
    setRounded(s, alternating(COSINE_TERMS, square()), FRACTION);
    return;
  }
  if (reduced.isNegative) s ^= SIGN;
  const factor = alternating(SINE_TERMS, square());
  setRounded(s, reduced.rest * factor, reduced.scale + FRACTION);
}

/** The unit's result is sin(a), for a number other than zero that is reducible. */
export function setSineOf(a: Operand): void {
  reduce(a);
  setSine(a.sign, 0);
}

/** As `setSineOf`: cos(a). */
export function setCosineOf(a: Operand): void {
  reduce(a);
  setSine(0, 1);
}

/** As `setSineOf`: tan(a). */
export function setTangentOf(a: Operand): void {
  reduce(a);
  const z = square();
  const sine = reduced.rest * alternating(SINE_TERMS, z);
  const cosine = alternating(COSINE_TERMS, z);
  let sign = reduced.isNegative ? a.sign ^ SIGN : a.sign;
  if (reduced.quadrant & 1) {
    sign ^= SIGN;
    // -cos / (rest * sine's factor / 2^(scale + FRACTION)), with enough bits of the quotient.
    const scaled = cosine << BigInt(2 * FRACTION);
    setRounded(sign, scaled / sine, 2 * FRACTION - reduced.scale);
  } else {
    setRounded(sign, (sine << FRACTION_BITS) / cosine, reduced.scale + FRACTION);
  }
}
