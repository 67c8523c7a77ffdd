/** FCOM, FUCOM, FICOM, FTST, FXAM, and FCOMI, which sets EFLAGS. */
import { EFLAGS_ARITHMETIC, EFLAGS_CF, EFLAGS_PF, EFLAGS_ZF, writeEflags } from '../../eflags.js';
import type { Procedure } from '../../system/procedure.js';
import { CLASS_EMPTY, classify, compare, UNORDERED } from '../compare.js';
import { FPU_C0, FPU_C1, FPU_C2, FPU_C3 } from '../control-status.js';
import { Operand, SIGN } from '../operand.js';
import { isEmpty, keepC1, load, pop, setCondition, stackUnderflow, wordOf } from '../registers.js';
import { unit } from '../unit.js';
import type { ReadOperand } from './arithmetic.js';

const first = new Operand();
const second = new Operand();
const zero = new Operand();

/** How many registers a comparison pops. */
type Pops = 0 | 1 | 2;

/** D8, DC, DE, DA, DD: ST(0) against ST(i). Where an exception is unmasked nothing is popped. */
export function compareRegister(allowsQuiet: boolean, pops: Pops): Procedure {
  return ({ state }, insn) => {
    let condition = UNORDERED;
    if (isEmpty(state, 0) || isEmpty(state, insn.rm)) stackUnderflow();
    else {
      load(state, 0, first);
      load(state, insn.rm, second);
      condition = compare(first, second, allowsQuiet);
    }
    setCondition(state, condition);
    if (unit.isStopped) return;
    for (let i = 0; i < pops; i++) pop(state);
  };
}

/** D8, DC, DA, DE /2 and /3: ST(0) against memory. */
export function compareMemory(read: ReadOperand, pops: Pops): Procedure {
  return (core, insn) => {
    const { state } = core;
    read(core, insn, second);
    let condition = UNORDERED;
    if (isEmpty(state, 0)) stackUnderflow();
    else {
      load(state, 0, first);
      condition = compare(first, second, false);
    }
    setCondition(state, condition);
    if (!unit.isStopped && pops === 1) pop(state);
  };
}

/** DB and DF E8, F0: ST(0) against ST(i), the result in ZF, PF and CF; OF, SF and AF are cleared. */
export function compareIntoEflags(allowsQuiet: boolean, pops: Pops): Procedure {
  return ({ state }, insn) => {
    let condition = UNORDERED;
    if (isEmpty(state, 0) || isEmpty(state, insn.rm)) stackUnderflow();
    else {
      keepC1(state);
      load(state, 0, first);
      load(state, insn.rm, second);
      condition = compare(first, second, allowsQuiet);
    }
    const flags =
      (condition & FPU_C3 ? EFLAGS_ZF : 0) |
      (condition & FPU_C2 ? EFLAGS_PF : 0) |
      (condition & FPU_C0 ? EFLAGS_CF : 0);
    writeEflags(state, flags, EFLAGS_ARITHMETIC);
    if (!unit.isStopped && pops === 1) pop(state);
  };
}

/** D9 E4 FTST: ST(0) against +0. */
export const ftst: Procedure = ({ state }) => {
  let condition = UNORDERED;
  if (isEmpty(state, 0)) stackUnderflow();
  else {
    load(state, 0, first);
    condition = compare(first, zero, false);
  }
  setCondition(state, condition);
};

/** D9 E5 FXAM: C1 is the sign, also of a register that is empty. */
export const fxam: Procedure = ({ state }) => {
  load(state, 0, first);
  setCondition(state, isEmpty(state, 0) ? CLASS_EMPTY : classify(first));
  unit.c1 = state.i32[wordOf(state, 0) + 2] & SIGN ? FPU_C1 : 0;
};
