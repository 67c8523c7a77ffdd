/** FPATAN: the angle of a point, in all four quadrants. Intel SDM vol. 2A, FPATAN, table 3-28. */
import { KIND_INFINITY, KIND_ZERO, type Operand } from '../operand.js';
import { unit } from '../unit.js';
import { FRACTION, FRACTION_BITS, ONE, PI, setRounded, significandOf, times } from './fixed.js';

/** The table has the arctangents of 0, 1/16 ... 1. */
const STEPS = 16;
const STEP_BITS = 4n;
/** Terms of the series for up to 1/32. */
const TERMS = 14;
/** A ratio this much below 1 is its own arctangent, but for what rounding sees. */
const NEGLIGIBLE = 70;

/** 1 - z/3 + z^2/5 ..., just below 1 where that rounds to 1. */
function series(z: bigint): bigint {
  let sum = 0n;
  for (let i = TERMS; i >= 0; i--) sum = ONE / BigInt(2 * i + 1) - times(z, sum);
  return sum >= ONE ? ONE - 1n : sum;
}

/** arctan(1/16 * k), by atan(t) = atan(c) + atan((t - c) / (1 + t * c)) from one to the next. */
function table(): readonly bigint[] {
  const list = [0n];
  for (let k = 1n; k <= BigInt(STEPS); k++) {
    // From (k - 1) / 16 to k / 16.
    const step = (16n << FRACTION_BITS) / (256n + k * (k - 1n));
    list.push(list[Number(k) - 1] + times(step, series(times(step, step))));
  }
  return list;
}

let arctangents: readonly bigint[] | null = null;

/** The arctangent of a fixed-point ratio of 0 to 1, as a fixed-point number. */
function arctangent(ratio: bigint): bigint {
  arctangents ??= table();
  const k = (ratio + (ONE >> (STEP_BITS + 1n))) >> (FRACTION_BITS - STEP_BITS);
  const c = k << (FRACTION_BITS - STEP_BITS);
  const t = ((ratio - c) << FRACTION_BITS) / (ONE + times(ratio, c));
  return arctangents[Number(k)] + times(t, series(times(t, t)));
}

/** The unit's result is the arctangent of y / x, between -pi and pi; neither is a NaN. */
export function setArctangent(y: Operand, x: Operand): void {
  const isLeft = x.sign !== 0;
  if (y.kind === KIND_ZERO || (x.kind === KIND_INFINITY && y.kind !== KIND_INFINITY)) {
    if (isLeft) setRounded(y.sign, PI, FRACTION);
    else unit.setZero(y.sign);
  } else if (x.kind === KIND_ZERO || (y.kind === KIND_INFINITY && x.kind !== KIND_INFINITY)) {
    setRounded(y.sign, PI, FRACTION + 1);
  } else if (y.kind === KIND_INFINITY) {
    setRounded(y.sign, isLeft ? 3n * PI : PI, FRACTION + 2);
  } else {
    setFinite(y, x, isLeft);
  }
}

function setFinite(y: Operand, x: Operand, isLeft: boolean): void {
  const my = significandOf(y.high, y.low);
  const mx = significandOf(x.high, x.low);
  const distance = x.exponent - y.exponent;
  const isFlat = distance > 0 || (distance === 0 && my <= mx);
  // The smaller over the larger.
  const scale = Math.abs(distance);
  const upper = isFlat ? my : mx;
  const lower = isFlat ? mx : my;
  if (isFlat && !isLeft && scale >= STEPS) {
    setFlat(y.sign, upper, lower, scale);
    return;
  }
  const angle =
    scale > FRACTION ? 1n : arctangent(((upper << FRACTION_BITS) / lower) >> BigInt(scale));
  if (isFlat) setRounded(y.sign, isLeft ? PI - angle : angle, FRACTION);
  else setRounded(y.sign, isLeft ? (PI >> 1n) + angle : (PI >> 1n) - angle, FRACTION);
}

/** A small angle, with as many bits as a large one. */
function setFlat(sign: number, upper: bigint, lower: bigint, scale: number): void {
  const ratio = (upper << FRACTION_BITS) / lower;
  const z = scale > NEGLIGIBLE ? 0n : times(ratio, ratio) >> BigInt(2 * scale);
  setRounded(sign, ratio * series(z), scale + 2 * FRACTION);
}
