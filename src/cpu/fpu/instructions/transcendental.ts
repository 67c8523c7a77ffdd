/** The functions without an exact result: what is special about their operands, and the stack. */
import type { State } from '../../state.js';
import { FPU_STATUS } from '../../state-layout.js';
import type { Procedure } from '../../system/procedure.js';
import { FPU_C2, FPU_PE } from '../control-status.js';
import { propagate, propagateOne } from '../nan.js';
import {
  EXPONENT_BIAS,
  KIND_INFINITY,
  KIND_NO_NUMBER,
  KIND_ZERO,
  Operand,
  SIGN,
  TOP_BIT,
} from '../operand.js';
import {
  clearC2,
  isEmpty,
  load,
  pop,
  push,
  stackOverflow,
  stackUnderflow,
  write,
} from '../registers.js';
import { setArctangent } from '../transcendental/arctangent.js';
import { isReducible, setCosineOf, setSineOf, setTangentOf } from '../transcendental/circular.js';
import { setPowerLessOne } from '../transcendental/exponential.js';
import { setLogarithm, setLogarithmOfOnePlus } from '../transcendental/logarithm.js';
import { unit } from '../unit.js';

const x = new Operand();
const y = new Operand();

function setC2(state: State): void {
  state.set(FPU_STATUS, state.get(FPU_STATUS) | FPU_C2);
}

function setOne(): void {
  unit.set(EXPONENT_BIAS, TOP_BIT, 0);
}

function sine(a: Operand): void {
  if (a.kind === KIND_ZERO) unit.setZero(a.sign);
  else setSineOf(a);
}

function cosine(a: Operand): void {
  if (a.kind === KIND_ZERO) setOne();
  else setCosineOf(a);
}

function tangent(a: Operand): void {
  if (a.kind === KIND_ZERO) unit.setZero(a.sign);
  else setTangentOf(a);
}

/** No number, or infinity, of which there is no sine. */
function refuse(a: Operand): void {
  if (a.kind & KIND_NO_NUMBER) propagate(a);
  else unit.invalid();
}

const NO_ANGLE = KIND_NO_NUMBER | KIND_INFINITY;

/** D9 FE FSIN and D9 FF FCOS. C2 is set, and nothing else done, where the argument is out of range. */
function circular(operate: (a: Operand) => void): Procedure {
  return ({ state }) => {
    clearC2(state);
    if (isEmpty(state, 0)) stackUnderflow();
    else {
      load(state, 0, x);
      if (x.kind & NO_ANGLE) refuse(x);
      else if (!isReducible(x)) {
        setC2(state);
        return;
      } else if (!unit.admits(x.kind)) return;
      else operate(x);
    }
    if (!unit.isStopped) write(state, 0);
  };
}

export const fsin: Procedure = circular(sine);
export const fcos: Procedure = circular(cosine);

/** D9 FB FSINCOS and D9 F2 FPTAN: one result into ST(0), then another pushed. */
function circularPair(operate: (a: Operand) => void, other: (a: Operand) => void): Procedure {
  return ({ state }) => {
    clearC2(state);
    let isNumber = false;
    if (isEmpty(state, 0)) stackUnderflow();
    else if (!isEmpty(state, 7)) stackOverflow();
    else {
      load(state, 0, x);
      if (x.kind & NO_ANGLE) refuse(x);
      else if (!isReducible(x)) {
        setC2(state);
        return;
      } else if (!unit.admits(x.kind)) return;
      else {
        isNumber = true;
        operate(x);
      }
    }
    if (unit.isStopped) return;
    write(state, 0);
    if (isNumber) other(x);
    push(state);
  };
}

export const fsincos: Procedure = circularPair(sine, cosine);
export const fptan: Procedure = circularPair(tangent, setOne);

/** D9 F0 F2XM1. */
export const f2xm1: Procedure = ({ state }) => {
  if (isEmpty(state, 0)) stackUnderflow();
  else {
    load(state, 0, x);
    if (x.kind & KIND_NO_NUMBER) propagate(x);
    else if (!unit.admits(x.kind)) return;
    else if (x.kind === KIND_ZERO) unit.setZero(x.sign);
    else if (x.kind !== KIND_INFINITY) setPowerLessOne(x);
    else if (x.sign === 0) unit.setInfinity(0);
    else unit.set(SIGN | EXPONENT_BIAS, TOP_BIT, 0);
  }
  if (!unit.isStopped) write(state, 0);
};

/** ST(1) = f(ST(1), ST(0)), and pop. */
function ofTwo(operate: () => void): Procedure {
  return ({ state }) => {
    if (isEmpty(state, 0) || isEmpty(state, 1)) stackUnderflow();
    else {
      load(state, 0, x);
      load(state, 1, y);
      if ((x.kind | y.kind) & KIND_NO_NUMBER) propagateOne(x, y);
      else operate();
    }
    if (unit.isStopped) return;
    write(state, 1);
    pop(state);
  };
}

/** D9 F3 FPATAN: the angle of the point (ST(0), ST(1)). */
export const fpatan: Procedure = ofTwo(() => {
  if (unit.admits(x.kind | y.kind)) setArctangent(y, x);
});

/** D9 F1 FYL2X: ST(1) * log2(ST(0)). */
export const fyl2x: Procedure = ofTwo(() => {
  const isX1 = isOne(x);
  const sign = x.kind === KIND_ZERO || isBelowOne(x) ? y.sign ^ SIGN : y.sign;
  if (x.sign !== 0 && x.kind !== KIND_ZERO) unit.invalid();
  else if (x.kind === KIND_ZERO) {
    if (y.kind === KIND_ZERO) unit.invalid();
    else if (y.kind === KIND_INFINITY) unit.setInfinity(sign);
    else unit.divideByZero(sign);
  } else if (isX1 && y.kind === KIND_INFINITY) unit.invalid();
  else if (x.kind === KIND_INFINITY && y.kind === KIND_ZERO) unit.invalid();
  else if (!unit.admits(x.kind | y.kind)) return;
  else if (x.kind === KIND_INFINITY || y.kind === KIND_INFINITY) unit.setInfinity(sign);
  else if (isX1 || y.kind === KIND_ZERO) unit.setZero(sign);
  else setLogarithm(y, x);
});

function isOne(a: Operand): boolean {
  return a.kind === 0 && a.exponent === EXPONENT_BIAS && a.high === TOP_BIT && a.low === 0;
}

function isBelowOne(a: Operand): boolean {
  return a.exponent < EXPONENT_BIAS;
}

/**
 * D9 F9 FYL2XP1: ST(1) * log2(ST(0) + 1). At -1 and below, where the manual defines nothing, the result
 * is ST(0), as AMD's processors have it.
 */
export const fyl2xp1: Procedure = ofTwo(() => {
  const sign = x.sign ^ y.sign;
  if (x.kind === KIND_ZERO && y.kind === KIND_INFINITY) unit.invalid();
  else if (x.kind === KIND_INFINITY && (x.sign !== 0 || y.kind === KIND_ZERO)) unit.invalid();
  else if (!unit.admits(x.kind | y.kind)) return;
  else if (x.kind === KIND_INFINITY || y.kind === KIND_INFINITY) unit.setInfinity(sign);
  else if (x.kind === KIND_ZERO || y.kind === KIND_ZERO) unit.setZero(sign);
  else if (x.sign !== 0 && !isBelowOne(x)) {
    unit.exceptions |= FPU_PE;
    unit.set(x.sign | x.exponent, x.high, x.low);
  } else setLogarithmOfOnePlus(y, x);
});
