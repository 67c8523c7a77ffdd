/** FSCALE and FXTRACT. */
import { unpackInteger } from './formats.js';
import { propagate, propagateOne } from './nan.js';
import {
  EXPONENT_BIAS,
  KIND_INFINITY,
  KIND_NO_NUMBER,
  KIND_ZERO,
  Operand,
  SIGN,
} from './operand.js';
import { roundToPrecision } from './rounding.js';
import { unit } from './unit.js';

/** Scaling further than this over- or underflows whatever is scaled. */
const FARTHEST = 0x10000;

const exponent = new Operand();

/** The unit's result is a * 2^b, with b truncated. */
export function scale(a: Operand, b: Operand): void {
  const kinds = a.kind | b.kind;
  if (kinds & KIND_NO_NUMBER) {
    propagateOne(a, b);
    return;
  }
  if (b.kind === KIND_INFINITY) {
    scaleByInfinity(a, b);
    return;
  }
  if (!unit.admits(kinds)) return;
  if (a.kind === KIND_INFINITY) unit.setInfinity(a.sign);
  else if (a.kind === KIND_ZERO) unit.setZero(a.sign);
  else roundToPrecision(64, a.sign, a.exponent + truncated(b), a.high, a.low, 0);
}

function scaleByInfinity(a: Operand, b: Operand): void {
  const isInvalid = b.sign === 0 ? a.kind === KIND_ZERO : a.kind === KIND_INFINITY;
  if (isInvalid) unit.invalid();
  else if (!unit.admits(a.kind)) return;
  else if (b.sign === 0) unit.setInfinity(a.sign);
  else unit.setZero(a.sign);
}

/** A number without its fraction, at the most FARTHEST. */
function truncated(b: Operand): number {
  const distance = b.exponent - EXPONENT_BIAS;
  if (b.kind === KIND_ZERO || distance < 0) return 0;
  const magnitude = distance > 15 ? FARTHEST : b.high >>> (31 - distance);
  return b.sign === 0 ? magnitude : -magnitude;
}

/** FXTRACT's first result, the exponent as a number. The unit has it; infinity and NaN stay. */
export function extractExponent(a: Operand): void {
  if (a.kind & KIND_NO_NUMBER) {
    propagate(a);
    return;
  }
  if (a.kind === KIND_ZERO) {
    unit.divideByZero(SIGN);
    return;
  }
  if (!unit.admits(a.kind)) return;
  if (a.kind === KIND_INFINITY) {
    unit.setInfinity(0);
    return;
  }
  unpackInteger(exponent, a.exponent - EXPONENT_BIAS);
  if (exponent.kind === KIND_ZERO) unit.setZero(0);
  else unit.set(exponent.sign | exponent.exponent, exponent.high, exponent.low);
}

/** FXTRACT's second result, the significand with the exponent of 1. */
export function extractSignificand(a: Operand): void {
  if (a.kind & KIND_NO_NUMBER) propagate(a);
  else if (a.kind === KIND_ZERO) unit.setZero(a.sign);
  else if (a.kind === KIND_INFINITY) unit.setInfinity(a.sign);
  else unit.set(a.sign | EXPONENT_BIAS, a.high, a.low);
}
