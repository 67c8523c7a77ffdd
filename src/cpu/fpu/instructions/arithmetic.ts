/** FADD, FSUB, FSUBR, FMUL, FDIV, FDIVR and their forms; FSQRT, FRNDINT, FSCALE, FPREM, FPREM1. */
import type { Core } from '../../core.js';
import type { Instruction } from '../../decoder/instruction.js';
import { readRm } from '../../system/operands.js';
import type { Procedure } from '../../system/procedure.js';
import { add, subtract, subtractReverse } from '../add.js';
import { divide, divideReverse, squareRoot } from '../divide.js';
import { unpackDouble, unpackInteger, unpackSingle } from '../formats.js';
import { operand, read64 } from '../memory-operand.js';
import { multiply } from '../multiply.js';
import { Operand } from '../operand.js';
import { clearC2, isEmpty, load, pop, setCondition, stackUnderflow, write } from '../registers.js';
import { QUOTIENT_UNKNOWN, remainder } from '../remainder.js';
import { roundToInteger } from '../round-integer.js';
import { scale } from '../scale.js';
import { unit } from '../unit.js';

/** Puts the result for a, which is ST(0), and b into the unit. */
export type Operation = (a: Operand, b: Operand) => void;
/** Reads a memory operand and takes it apart. */
export type ReadOperand = (core: Core, insn: Instruction, into: Operand) => void;

/** By ModRM's reg; 2 and 3 are comparisons. */
export const OPERATIONS: readonly (Operation | null)[] = [
  add,
  multiply,
  null,
  null,
  subtract,
  subtractReverse,
  divide,
  divideReverse,
];

export const readSingle: ReadOperand = (core, insn, into) =>
  unpackSingle(into, readRm(core, insn, 4));

export const readDouble: ReadOperand = (core, insn, into) => {
  read64(core, insn);
  unpackDouble(into, operand.high, operand.low);
};

export const readWord: ReadOperand = (core, insn, into) =>
  unpackInteger(into, (readRm(core, insn, 2) << 16) >> 16);

export const readDoubleword: ReadOperand = (core, insn, into) =>
  unpackInteger(into, readRm(core, insn, 4));

const first = new Operand();
const second = new Operand();

/** D8 /r: ST(0) = ST(0) op ST(i). */
export function intoTop(operate: Operation): Procedure {
  return (core, insn) => {
    const { state } = core;
    if (isEmpty(state, 0) || isEmpty(state, insn.rm)) stackUnderflow();
    else {
      load(state, 0, first);
      load(state, insn.rm, second);
      operate(first, second);
    }
    if (!unit.isStopped) write(state, 0);
  };
}

/** DC /r and DE /r: ST(i) = ST(i) op ST(0), and pop. The encoding has SUB and SUBR, DIV and DIVR swapped. */
export function intoOther(operate: Operation, pops: boolean): Procedure {
  return (core, insn) => {
    const { state } = core;
    if (isEmpty(state, 0) || isEmpty(state, insn.rm)) stackUnderflow();
    else {
      load(state, 0, first);
      load(state, insn.rm, second);
      operate(first, second);
    }
    if (unit.isStopped) return;
    write(state, insn.rm);
    if (pops) pop(state);
  };
}

/** D8, DA, DC, DE /r: ST(0) = ST(0) op memory. */
export function withMemory(operate: Operation, read: ReadOperand): Procedure {
  return (core, insn) => {
    const { state } = core;
    read(core, insn, second);
    if (isEmpty(state, 0)) stackUnderflow();
    else {
      load(state, 0, first);
      operate(first, second);
    }
    if (!unit.isStopped) write(state, 0);
  };
}

/** ST(0) = f(ST(0)). */
function ofTop(operate: (a: Operand) => void): Procedure {
  return ({ state }) => {
    if (isEmpty(state, 0)) stackUnderflow();
    else {
      load(state, 0, first);
      operate(first);
    }
    if (!unit.isStopped) write(state, 0);
  };
}

/** D9 FA FSQRT. */
export const fsqrt: Procedure = ofTop(squareRoot);
/** D9 FC FRNDINT. */
export const frndint: Procedure = ofTop(roundToInteger);

/** D9 FD FSCALE. */
export const fscale: Procedure = ({ state }) => {
  if (isEmpty(state, 0) || isEmpty(state, 1)) stackUnderflow();
  else {
    load(state, 0, first);
    load(state, 1, second);
    scale(first, second);
  }
  if (!unit.isStopped) write(state, 0);
};

function partialRemainder(isNearest: boolean): Procedure {
  return ({ state }) => {
    clearC2(state);
    if (isEmpty(state, 0) || isEmpty(state, 1)) stackUnderflow();
    else {
      load(state, 0, first);
      load(state, 1, second);
      const condition = remainder(first, second, isNearest);
      if (condition !== QUOTIENT_UNKNOWN) setCondition(state, condition);
    }
    if (!unit.isStopped) write(state, 0);
  };
}

/** D9 F8 FPREM. */
export const fprem: Procedure = partialRemainder(false);
/** D9 F5 FPREM1. */
export const fprem1: Procedure = partialRemainder(true);
