/** What moves, marks or changes the sign of registers: FXCH, FCMOV, FFREE, FINCSTP, FCHS, FABS, FXTRACT. */
import { EFLAGS_CF, EFLAGS_PF, EFLAGS_ZF, readEflags } from '../../eflags.js';
import type { State } from '../../state.js';
import type { Procedure } from '../../system/procedure.js';
import { EXPONENT_MAX, Operand, SIGN } from '../operand.js';
import {
  fetch,
  isEmpty,
  keepC1,
  load,
  markEmpty,
  moveTop,
  pop,
  push,
  stackOverflow,
  stackUnderflow,
  wordOf,
  write,
} from '../registers.js';
import { extractExponent, extractSignificand } from '../scale.js';
import { unit } from '../unit.js';

const value = new Operand();

/** Fills ST(i) with the indefinite where it is empty. False where that is forbidden. */
function fill(state: State, i: number): boolean {
  if (!isEmpty(state, i)) return true;
  stackUnderflow();
  if (unit.isStopped) return false;
  write(state, i);
  return true;
}

/** D9 C8 FXCH ST(i), with the aliases DD C8 and DF C8. */
export const fxch: Procedure = ({ state }, insn) => {
  const other = insn.rm;
  if (!fill(state, 0) || !fill(state, other)) return;
  const a = wordOf(state, 0);
  const b = wordOf(state, other);
  for (let k = 0; k < 3; k++) {
    const word = state.i32[a + k];
    state.i32[a + k] = state.i32[b + k];
    state.i32[b + k] = word;
  }
};

/**
 * DA and DB C0 to DF FCMOVcc ST(0), ST(i).
 * @param flags of which one set is enough, or, negated, none may be set.
 */
export function fcmov(flags: number, isNegated: boolean): Procedure {
  return ({ state }, insn) => {
    if (isEmpty(state, 0) || isEmpty(state, insn.rm)) {
      stackUnderflow();
      if (!unit.isStopped) write(state, 0);
      return;
    }
    keepC1(state);
    if (((readEflags(state) & flags) !== 0) === isNegated) return;
    fetch(state, insn.rm);
    write(state, 0);
  };
}

/** By ModRM's reg: below, equal, below or equal, unordered. */
export const FCMOV_FLAGS: readonly number[] = [
  EFLAGS_CF,
  EFLAGS_ZF,
  EFLAGS_CF | EFLAGS_ZF,
  EFLAGS_PF,
];

/** DD C0 FFREE ST(i). */
export const ffree: Procedure = ({ state }, insn) => markEmpty(state, insn.rm);

/** DF C0 FFREEP ST(i): as FFREE, and pops. In no manual, but in processors since the 287. */
export const ffreep: Procedure = ({ state }, insn) => {
  markEmpty(state, insn.rm);
  pop(state);
};

/** D9 D0 FNOP. */
export const fnop: Procedure = ({ state }) => keepC1(state);

/** D9 F6 FDECSTP. */
export const fdecstp: Procedure = ({ state }) => moveTop(state, -1);
/** D9 F7 FINCSTP: no pop, as the tag stays. */
export const fincstp: Procedure = ({ state }) => moveTop(state, 1);

function changeSign(change: (signExponent: number) => number): Procedure {
  return ({ state }) => {
    if (isEmpty(state, 0)) stackUnderflow();
    else {
      fetch(state, 0);
      unit.signExponent = change(unit.signExponent);
    }
    if (!unit.isStopped) write(state, 0);
  };
}

/** D9 E0 FCHS. */
export const fchs: Procedure = changeSign((signExponent) => signExponent ^ SIGN);
/** D9 E1 FABS. */
export const fabs: Procedure = changeSign((signExponent) => signExponent & EXPONENT_MAX);

/** D9 F4 FXTRACT: the exponent into ST(0), then the significand pushed. */
export const fxtract: Procedure = ({ state }) => {
  if (isEmpty(state, 0)) stackUnderflow();
  else if (!isEmpty(state, 7)) stackOverflow();
  else {
    load(state, 0, value);
    extractExponent(value);
    if (unit.isStopped) return;
    write(state, 0);
    extractSignificand(value);
    push(state);
    return;
  }
  if (unit.isStopped) return;
  write(state, 0);
  push(state);
};
