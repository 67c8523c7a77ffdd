/** F2XM1: 2^x - 1. */

import { FPU_PE } from '../control-status.js';
import { EXPONENT_BIAS, type Operand } from '../operand.js';
import { unit } from '../unit.js';
import { FRACTION, FRACTION_BITS, LN2, ONE, setRounded, significandOf, times } from './fixed.js';

/** The table has the powers 2^(k / 16), k from -16 to 16. */
const STEPS = 16;
const STEP_BITS = 4;
const TERMS = 18;
/** From here on what 2^x - 1 differs from x * ln 2 by is seen by rounding alone. */
const NEGLIGIBLE = 140;

/** 1 + w/2! + w^2/3! ... for w of either sign. */
function series(w: bigint): bigint {
  let sum = ONE;
  for (let n = TERMS; n >= 2; n--) sum = ONE + times(w, sum) / BigInt(n);
  return sum;
}

/** The square root of a fixed-point number, by Newton's method from above. */
function root(value: bigint): bigint {
  const target = value << FRACTION_BITS;
  let x = ONE << 1n;
  for (;;) {
    const next = (x + target / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

function table(): readonly bigint[] {
  let step = ONE << 1n;
  for (let i = 0; i < STEP_BITS; i++) step = root(step);
  const list = [ONE >> 1n];
  // Each from a square root or a product of two, so that no error adds up over many steps.
  for (let k = 1; k <= 2 * STEPS; k++) list.push(0n);
  list[STEPS] = ONE;
  for (let k = 1; k <= STEPS; k++) list[STEPS + k] = times(list[STEPS + k - 1], step);
  list[2 * STEPS] = ONE << 1n;
  for (let k = 1; k < STEPS; k++) list[k] = list[STEPS + k] >> 1n;
  return list;
}

let powers: readonly bigint[] | null = null;

/**
 * The unit's result is 2^a - 1, for a number other than zero. Beyond -1 to 1, where the manual defines
 * nothing, it is a itself, as AMD's processors have it.
 */
export function setPowerLessOne(a: Operand): void {
  if (a.exponent >= EXPONENT_BIAS) {
    unit.exceptions |= FPU_PE;
    const isMinusOne = a.sign !== 0 && isOne(a);
    unit.set(a.sign | (isMinusOne ? EXPONENT_BIAS - 1 : a.exponent), a.high, a.low);
    return;
  }
  const scale = EXPONENT_BIAS + 63 - a.exponent;
  const significand = significandOf(a.high, a.low);
  if (scale - 63 > STEP_BITS + 1) {
    setSmall(a.sign, significand, scale);
    return;
  }
  powers ??= table();
  const magnitude = significand << BigInt(FRACTION - scale);
  const x = a.sign === 0 ? magnitude : -magnitude;
  const k = (x + (ONE >> BigInt(STEP_BITS + 1))) >> BigInt(FRACTION - STEP_BITS);
  const w = times(x - (k << BigInt(FRACTION - STEP_BITS)), LN2);
  const power = powers[STEPS + Number(k)];
  const value = power - ONE + times(power, times(w, series(w)));
  setRounded(a.sign, value < 0n ? -value : value, FRACTION);
}

function isOne(a: Operand): boolean {
  return a.exponent === EXPONENT_BIAS && a.high << 1 === 0 && a.low === 0;
}

/** |x| below 1/32, with as many bits as a large one. */
function setSmall(sign: number, significand: bigint, scale: number): void {
  const w = significand * LN2;
  let factor = ONE;
  if (scale < NEGLIGIBLE + 63) {
    const fixed = w >> BigInt(scale);
    factor = series(sign === 0 ? fixed : -fixed);
  }
  // Rounding sees that the factor is not 1.
  if (factor === ONE) factor += sign === 0 ? 1n : -1n;
  setRounded(sign, w * factor, scale + 2 * FRACTION);
}
