/** FLD, FILD, FBLD and the constants: what pushes. */
import type { State } from '../../state.js';
import type { Procedure } from '../../system/procedure.js';
import { unpackDecimal } from '../bcd.js';
import { ROUND_NEAREST, ROUND_UP } from '../control-status.js';
import { unpackInteger64 } from '../formats.js';
import { operand, read64, read80 } from '../memory-operand.js';
import { propagate } from '../nan.js';
import { KIND_NO_NUMBER, KIND_ZERO, Operand } from '../operand.js';
import { fetch, isEmpty, push, stackOverflow, stackUnderflow } from '../registers.js';
import { roundingMode } from '../rounding.js';
import { unit } from '../unit.js';
import type { ReadOperand } from './arithmetic.js';

const value = new Operand();

/** Pushes the unit's result, or the indefinite into a full stack. */
function pushResult(state: State): void {
  if (!isEmpty(state, 7)) stackOverflow();
  if (!unit.isStopped) push(state);
}

/**
 * FLD and FILD from memory: the value is exact. A denormal of single or double precision is loaded even
 * where its exception is unmasked, as processors do.
 */
export function loadMemory(read: ReadOperand): Procedure {
  return (core, insn) => {
    const { state } = core;
    read(core, insn, value);
    if (!isEmpty(state, 7)) stackOverflow();
    else if (value.kind & KIND_NO_NUMBER) propagate(value);
    else {
      unit.admits(value.kind);
      setExactly(value);
      push(state);
      return;
    }
    if (!unit.isStopped) push(state);
  };
}

/** The unit's result is a number that fits, or infinity. */
function setExactly(a: Operand): void {
  if (a.kind === KIND_ZERO) unit.setZero(a.sign);
  else unit.set(a.sign | a.exponent, a.high, a.low);
}

/** DF /5 FILD m64int. */
export const readQuadword: ReadOperand = (core, insn, into) => {
  read64(core, insn);
  unpackInteger64(into, operand.high, operand.low);
};

/** DF /4 FBLD. */
export const readDecimal: ReadOperand = (core, insn, into) => {
  read80(core, insn);
  unpackDecimal(into, operand.signExponent, operand.high, operand.low);
};

/** DB /5 FLD m80: whatever the bits are. */
export const fld_m80: Procedure = (core, insn) => {
  read80(core, insn);
  unit.set(operand.signExponent, operand.high, operand.low);
  pushResult(core.state);
};

/** D9 C0 FLD ST(i). */
export const fld_STi: Procedure = ({ state }, insn) => {
  if (isEmpty(state, insn.rm)) stackUnderflow();
  else if (!isEmpty(state, 7)) stackOverflow();
  else fetch(state, insn.rm);
  if (!unit.isStopped) push(state);
};

/**
 * A constant, by its first 64 bits, rounded by the rounding control alone. C1 says nothing of it.
 * @param nearest what rounding to nearest adds in the last place.
 */
function constant(signExponent: number, high: number, low: number, nearest: 0 | 1): Procedure {
  const isExact = low === 0;
  return ({ state }) => {
    const mode = roundingMode(unit.control);
    const isAbove = mode === ROUND_UP || (mode === ROUND_NEAREST && nearest === 1);
    unit.set(signExponent, high, isAbove && !isExact ? low + 1 : low);
    pushResult(state);
  };
}

/** D9 E8 to D9 EE: 1, log2 10, log2 e, pi, log10 2, ln 2, 0. */
export const CONSTANTS: readonly Procedure[] = [
  constant(0x3fff, 0x80000000 | 0, 0, 0),
  constant(0x4000, 0xd49a784b | 0, 0xcd1b8afe | 0, 0),
  constant(0x3fff, 0xb8aa3b29 | 0, 0x5c17f0bb | 0, 1),
  constant(0x4000, 0xc90fdaa2 | 0, 0x2168c234 | 0, 1),
  constant(0x3ffd, 0x9a209a84 | 0, 0xfbcff798 | 0, 1),
  constant(0x3ffe, 0xb17217f7 | 0, 0xd1cf79ab | 0, 1),
  constant(0, 0, 0, 0),
];
