/** ADD, ADC, SUB, SBB, CMP, INC, DEC, NEG, AND, OR, XOR, TEST, NOT, XADD, CMPXCHG. */
import { EAX } from '../state-layout.js';
import {
  carryFlag,
  flagsAdd,
  flagsAddCarry,
  flagsLogic,
  flagsStep,
  flagsSub,
  flagsSubBorrow,
} from './flags.js';
import type { Ops, Semantics } from './ops.js';

// 00 to 05  ADD
export const add: Semantics = (m) => {
  const a = m.modify(0);
  const b = m.read(1);
  const result = m.let(m.add(a, b));
  m.write(0, result);
  flagsAdd(m, a, b, result, m.size);
};

// 10 to 15  ADC
export const adc: Semantics = (m) => {
  const a = m.modify(0);
  const b = m.read(1);
  const result = m.let(m.add(m.add(a, b), carryFlag(m)));
  m.write(0, result);
  flagsAddCarry(m, a, b, result, m.size);
};

// 28 to 2D  SUB
export const sub: Semantics = (m) => {
  const a = m.modify(0);
  const b = m.read(1);
  const result = m.let(m.sub(a, b));
  m.write(0, result);
  flagsSub(m, a, b, result, m.size);
};

// 18 to 1D  SBB
export const sbb: Semantics = (m) => {
  const a = m.modify(0);
  const b = m.read(1);
  const result = m.let(m.sub(m.sub(a, b), carryFlag(m)));
  m.write(0, result);
  flagsSubBorrow(m, a, b, result, m.size);
};

// 38 to 3D  CMP
export const cmp: Semantics = (m) => {
  const a = m.read(0);
  const b = m.read(1);
  flagsSub(m, a, b, m.let(m.sub(a, b)), m.size);
};

type Combine = <V>(m: Ops<V>, a: V, b: V) => V;

function logic(combine: Combine): Semantics {
  return (m) => {
    const a = m.modify(0);
    const result = m.let(combine(m, a, m.read(1)));
    m.write(0, result);
    flagsLogic(m, result, m.size);
  };
}

// 20 to 25, 08 to 0D, 30 to 35
export const and = logic((m, a, b) => m.and(a, b));
export const or = logic((m, a, b) => m.or(a, b));
export const xor = logic((m, a, b) => m.xor(a, b));

// 84, 85, A8, A9, F6 /0, F7 /0  TEST
export const test: Semantics = (m) => {
  const a = m.read(0);
  flagsLogic(m, m.let(m.and(a, m.read(1))), m.size);
};

function step(isIncrement: boolean): Semantics {
  return (m) => {
    const a = m.modify(0);
    const one = m.constant(1);
    const result = m.let(isIncrement ? m.add(a, one) : m.sub(a, one));
    m.write(0, result);
    flagsStep(m, a, result, isIncrement, m.size);
  };
}

// 40 to 4F, FE /0 and /1, FF /0 and /1
export const inc = step(true);
export const dec = step(false);

// F6 /3, F7 /3  NEG
export const neg: Semantics = (m) => {
  const a = m.modify(0);
  const zero = m.constant(0);
  const result = m.let(m.sub(zero, a));
  m.write(0, result);
  flagsSub(m, zero, a, result, m.size);
};

// F6 /2, F7 /2  NOT, no flags
export const not: Semantics = (m) => m.write(0, m.not(m.modify(0)));

// 0F C0, 0F C1  XADD
export const xadd: Semantics = (m) => {
  const a = m.modify(0);
  const b = m.read(1);
  const result = m.let(m.add(a, b));
  // The source first: with both operands the same register, the sum stays.
  m.write(1, a);
  m.write(0, result);
  flagsAdd(m, a, b, result, m.size);
};

// 0F B0, 0F B1  CMPXCHG. The destination is written in either case.
export const cmpxchg: Semantics = (m) => {
  const destination = m.modify(0);
  const source = m.read(1);
  const accumulator = m.let(m.get(EAX, m.size));
  const result = m.let(m.truncate(m.sub(accumulator, destination), m.size));
  m.when(
    result,
    () => {
      m.write(0, destination);
      m.set(EAX, destination, m.size);
    },
    () => m.write(0, source),
  );
  flagsSub(m, accumulator, destination, result, m.size);
};
