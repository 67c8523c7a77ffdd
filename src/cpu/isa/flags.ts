/**
 * How instructions set and read the arithmetic flags, over any abstract machine. The lazy
 * representation is eflags.ts's: a sign-extended result and a word of carries.
 */
import { AUX_CARRY, AUX_CARRY_IN, AUX_HALF, AUX_PARITY_SHIFT } from '../eflags.js';
import { FLAG_AUX, FLAG_RESULT } from '../state-layout.js';
import type { FlagOrigin, Ops, Size } from './ops.js';

/** What carries are worked out with: it has no effects. */
type Values<V> = Pick<
  Ops<V>,
  'constant' | 'add' | 'sub' | 'and' | 'or' | 'xor' | 'not' | 'shl' | 'let'
>;

/** Where a carry vector's bits go: the top two to bits 31 and 30, bit 3 stays. */
function placeCarries<V>(m: Values<V>, carries: V, size: Size): V {
  const top = AUX_CARRY | AUX_CARRY_IN;
  if (size === 4) return m.and(carries, m.constant(top | AUX_HALF));
  const bound = m.let(carries);
  return m.or(
    m.and(m.shl(bound, m.constant(32 - size * 8)), m.constant(top)),
    m.and(bound, m.constant(AUX_HALF)),
  );
}

/** The carries of a + b (+ carry) = result, one bit a column. */
function addCarries<V>(m: Values<V>, a: V, b: V, result: V): V {
  return m.or(m.and(a, b), m.and(m.or(a, b), m.not(result)));
}

/** The borrows of a - b (- borrow) = result. */
function subBorrows<V>(m: Values<V>, a: V, b: V, result: V): V {
  return m.or(m.and(m.not(a), b), m.and(m.not(m.xor(a, b)), result));
}

function setResult<V>(m: Ops<V>, result: V, size: Size): void {
  m.set(FLAG_RESULT, m.signExtend(result, size));
}

/** All six flags of an addition, perhaps with a carry in; the arguments are bound values. */
export function flagsAddCarry<V>(m: Ops<V>, a: V, b: V, result: V, size: Size): void {
  m.set(FLAG_AUX, placeCarries(m, addCarries(m, a, b, result), size));
  setResult(m, result, size);
}

/** All six flags of an addition without one. */
export function flagsAdd<V>(m: Ops<V>, a: V, b: V, result: V, size: Size): void {
  flagsAddCarry(m, a, b, result, size);
  m.noteFlagOrigin?.({ kind: 'carry', left: result, right: a, size });
}

/** All six flags of a subtraction, perhaps with a borrow; the arguments are bound values. */
export function flagsSubBorrow<V>(m: Ops<V>, a: V, b: V, result: V, size: Size): void {
  m.set(FLAG_AUX, placeCarries(m, subBorrows(m, a, b, result), size));
  setResult(m, result, size);
}

/** All six flags of a subtraction without one. */
export function flagsSub<V>(m: Ops<V>, a: V, b: V, result: V, size: Size): void {
  flagsSubBorrow(m, a, b, result, size);
  m.noteFlagOrigin?.({ kind: 'compare', left: a, right: b, size });
}

/**
 * FLAG_AUX of 32-bit flags with an origin, whose result is FLAG_RESULT. The result and the origin's `right` are bound.
 */
export function auxOfOrigin<V>(m: Values<V>, kind: FlagOrigin<V>['kind'], result: V, right: V): V {
  if (kind === 'carry') {
    return placeCarries(m, addCarries(m, right, m.let(m.sub(result, right)), result), 4);
  }
  return placeCarries(m, subBorrows(m, m.let(m.add(result, right)), right, result), 4);
}

/** CF = OF = 0, AF as the processor leaves it: 0. */
export function flagsLogic<V>(m: Ops<V>, result: V, size: Size): void {
  m.set(FLAG_AUX, m.constant(0));
  setResult(m, result, size);
}

/** The word of carries with the given CF, OF (0 or 1) and AF (0 or AUX_HALF). */
function auxOf<V>(m: Ops<V>, carry: V, overflow: V, half: V): V {
  return m.or(
    m.or(m.shl(carry, m.constant(31)), m.shl(m.xor(carry, overflow), m.constant(30))),
    half,
  );
}

/**
 * ZF, SF and PF from the result, CF and OF as given (0 or 1, bound): the flags of a shift. AF, which
 * the manual leaves undefined, is set as an AMD processor of family 25 sets it.
 */
export function flagsShift<V>(m: Ops<V>, result: V, carry: V, overflow: V, size: Size): void {
  m.set(FLAG_AUX, auxOf(m, carry, overflow, m.constant(AUX_HALF)));
  setResult(m, result, size);
}

/**
 * What a division leaves, all of it undefined by the manual: an AMD processor of family 25 clears ZF, SF
 * and PF, sets AF, and keeps CF and OF.
 */
export function flagsDivision<V>(m: Ops<V>): void {
  const carries = m.and(m.get(FLAG_AUX), m.constant(AUX_CARRY | AUX_CARRY_IN));
  m.set(FLAG_AUX, m.or(carries, m.constant(AUX_HALF)));
  // A result of 1 means ZF 0, SF 0 and PF 0.
  m.set(FLAG_RESULT, m.constant(1));
}

/** CF and OF alone (0 or 1, bound); the others keep their value. */
export function flagsCarryOverflow<V>(m: Ops<V>, carry: V, overflow: V): void {
  const kept = m.and(m.get(FLAG_AUX), m.constant(~(AUX_CARRY | AUX_CARRY_IN)));
  m.set(FLAG_AUX, auxOf(m, carry, overflow, kept));
}

/** INC and DEC: all flags but CF. `a` is the old value. */
export function flagsStep<V>(m: Ops<V>, a: V, result: V, isIncrement: boolean, size: Size): void {
  const extreme = 2 ** (size * 8 - 1) - (isIncrement ? 0 : 1);
  const overflow = m.let(m.eq(m.truncate(result, size), m.constant(extreme | 0)));
  const carry = m.let(carryFlag(m));
  // The one itself is in bit 0 alone: what changes in bit 4 was carried there.
  const half = m.and(m.shrU(m.xor(a, result), m.constant(1)), m.constant(AUX_HALF));
  m.set(FLAG_AUX, auxOf(m, carry, overflow, half));
  setResult(m, result, size);
}

/** ZF alone (0 or 1); the others keep their value. */
export function flagsZero<V>(m: Ops<V>, zero: V): void {
  const sign = m.let(signFlag(m));
  const parity = m.let(parityFlag(m));
  const isZero = m.let(zero);
  const kept = m.and(m.get(FLAG_AUX), m.constant(AUX_CARRY | AUX_CARRY_IN | AUX_HALF));
  // Result 0 means SF 0 and PF 1, result 1 means SF 0 and PF 0: the deltas put them right.
  const parityDelta = m.shl(m.xor(parity, isZero), m.constant(AUX_PARITY_SHIFT));
  m.set(FLAG_AUX, m.or(m.or(kept, sign), parityDelta));
  m.set(FLAG_RESULT, m.eqz(isZero));
}

function overflowOf<V>(m: Ops<V>, aux: V): V {
  return m.shrU(m.xor(aux, m.shl(aux, m.constant(1))), m.constant(31));
}

/** Each flag as 0 or 1. */
export function carryFlag<V>(m: Ops<V>): V {
  const origin = m.flagOrigin?.() ?? null;
  if (origin !== null) return m.ltU(...atTheTop(m, origin));
  return m.shrU(m.get(FLAG_AUX), m.constant(31));
}
export function overflowFlag<V>(m: Ops<V>): V {
  return overflowOf(m, m.let(m.get(FLAG_AUX)));
}
export function zeroFlag<V>(m: Ops<V>): V {
  return m.eqz(m.get(FLAG_RESULT));
}
export function signFlag<V>(m: Ops<V>): V {
  return m.and(m.xor(m.shrU(m.get(FLAG_RESULT), m.constant(31)), m.get(FLAG_AUX)), m.constant(1));
}
export function parityFlag<V>(m: Ops<V>): V {
  const delta = m.shrU(m.get(FLAG_AUX), m.constant(AUX_PARITY_SHIFT));
  const low = m.and(m.xor(m.get(FLAG_RESULT), delta), m.constant(0xff));
  return m.and(m.not(m.popcnt(low)), m.constant(1));
}
export function halfCarryFlag<V>(m: Ops<V>): V {
  return m.and(m.shrU(m.get(FLAG_AUX), m.constant(3)), m.constant(1));
}

/** All six flags where EFLAGS has them. */
export function arithmeticFlags<V>(m: Ops<V>): V {
  const place = (flag: V, bit: number) => m.shl(flag, m.constant(bit));
  const low = m.or(carryFlag(m), m.or(place(parityFlag(m), 2), place(halfCarryFlag(m), 4)));
  const high = m.or(place(signFlag(m), 7), place(overflowFlag(m), 11));
  return m.or(m.or(low, place(zeroFlag(m), 6)), high);
}

/** CF, PF, AF, ZF and SF as the bound `flags` have them where EFLAGS does, OF as given (0 or 1, bound). */
export function setArithmeticFlags<V>(m: Ops<V>, flags: V, overflow: V): void {
  const bit = (at: number) => m.and(m.shrU(flags, m.constant(at)), m.constant(1));
  const carry = m.let(bit(0));
  const zero = m.let(bit(6));
  // As in flagsZero: result 0 has PF 1, result 1 has PF 0, both have SF 0.
  const parityDelta = m.shl(m.xor(bit(2), zero), m.constant(AUX_PARITY_SHIFT));
  const half = m.shl(bit(4), m.constant(3));
  m.set(FLAG_AUX, m.or(auxOf(m, carry, overflow, half), m.or(parityDelta, bit(7))));
  m.set(FLAG_RESULT, m.eqz(zero));
}

/** Both values of an origin, moved up so that 32 bits compare as the size does. */
function atTheTop<V>(m: Ops<V>, { left, right, size }: FlagOrigin<V>): [V, V] {
  const up = (value: V) => (size === 4 ? value : m.shl(value, m.constant(32 - size * 8)));
  return [up(left), up(right)];
}

/** A condition code (the low four bits of Jcc, SETcc, CMOVcc): not zero where it holds. */
export function condition<V>(m: Ops<V>, code: number): V {
  const holds = positiveCondition(m, code >> 1);
  return code & 1 ? m.eqz(holds) : holds;
}

function positiveCondition<V>(m: Ops<V>, code: number): V {
  const origin = m.flagOrigin?.();
  if (origin?.kind === 'compare') {
    const [left, right] = atTheTop(m, origin);
    if (code === 3) return m.eqz(m.gtU(left, right));
    if (code === 6) return m.ltS(left, right);
    if (code === 7) return m.eqz(m.ltS(right, left));
  }
  switch (code) {
    case 0:
      return overflowFlag(m);
    case 1:
      return carryFlag(m);
    case 2:
      return zeroFlag(m);
    case 3:
      return m.or(carryFlag(m), zeroFlag(m));
    case 4:
      return signFlag(m);
    case 5:
      return parityFlag(m);
    case 6:
      return m.xor(signFlag(m), overflowFlag(m));
    default:
      return m.or(zeroFlag(m), m.xor(signFlag(m), overflowFlag(m)));
  }
}
