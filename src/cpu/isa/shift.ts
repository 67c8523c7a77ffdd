/**
 * ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD. Counts are taken modulo 32; a count of 0 changes
 * nothing, flags included. Intel SDM vol. 2B, "RCL/RCR/ROL/ROR" and "SAL/SAR/SHL/SHR".
 */
import { carryFlag, flagsCarryOverflow, flagsShift } from './flags.js';
import type { Ops, Semantics, Size } from './ops.js';

/** What a shift makes of a value and a count of 1 to 31: both are bound values. */
type Shift = <V>(m: Ops<V>, value: V, count: V) => V;

/** The value with its top bit as bit 0. */
function topBit<V>(m: Ops<V>, value: V, size: Size): V {
  return m.and(m.shrU(value, m.constant(size * 8 - 1)), m.constant(1));
}

/** The second bit from the top. */
function nextToTop<V>(m: Ops<V>, value: V, size: Size): V {
  return m.and(m.shrU(value, m.constant(size * 8 - 2)), m.constant(1));
}

/** The operand is checked for writing even where the count is 0, as the processor does. */
function counted(shift: Shift): Semantics {
  return (m) => {
    const value = m.modify(0);
    const count = m.let(m.and(m.read(1), m.constant(31)));
    m.when(count, () => m.write(0, shift(m, value, count)));
  };
}

// /0 ROL
export const rol = counted((m, value, count) => {
  const result = m.let(m.rotl(repeated(m, value), count));
  const carry = m.let(m.and(result, m.constant(1)));
  flagsCarryOverflow(m, carry, m.let(m.xor(carry, topBit(m, result, m.size))));
  return result;
});

// /1 ROR
export const ror = counted((m, value, count) => {
  const result = m.let(m.rotr(repeated(m, value), count));
  const carry = m.let(topBit(m, result, m.size));
  flagsCarryOverflow(m, carry, m.let(m.xor(carry, nextToTop(m, result, m.size))));
  return result;
});

/** The value repeated to fill 32 bits, so that a rotation of 32 bits is one of its own width. */
function repeated<V>(m: Ops<V>, value: V): V {
  if (m.size === 4) return value;
  return m.mul(value, m.constant(m.size === 1 ? 0x01010101 : 0x00010001));
}

/** Rotation through CF, `left` or right. */
function rotateThroughCarry<V>(m: Ops<V>, value: V, count: V, left: boolean): V {
  const bits = m.size * 8;
  const carryIn = m.let(carryFlag(m));
  let result: V;
  let carry: V;
  if (m.size === 4) {
    // 33 bits: the count of 1 to 31 needs no reduction; two shifts stand for one by 33 - count.
    const rest = m.let(m.sub(m.constant(32), count));
    if (left) {
      const high = m.or(m.shl(value, count), m.shl(carryIn, m.sub(count, m.constant(1))));
      result = m.let(m.or(high, m.shrU(m.shrU(value, m.constant(1)), rest)));
      carry = m.let(m.and(m.shrU(value, rest), m.constant(1)));
    } else {
      const low = m.or(m.shrU(value, count), m.shl(carryIn, rest));
      result = m.let(m.or(low, m.shl(m.shl(value, m.constant(1)), rest)));
      carry = m.let(m.and(m.shrU(value, m.sub(count, m.constant(1))), m.constant(1)));
    }
  } else {
    const width = m.constant(bits + 1);
    const reduced = m.remU(count, width);
    const amount = m.let(left ? reduced : m.remU(m.sub(width, reduced), width));
    const wide = m.let(m.or(value, m.shl(carryIn, m.constant(bits))));
    const turned = m.let(m.or(m.shl(wide, amount), m.shrU(wide, m.sub(width, amount))));
    result = m.let(m.truncate(turned, m.size));
    carry = m.let(m.and(m.shrU(turned, m.constant(bits)), m.constant(1)));
  }
  const top = topBit(m, result, m.size);
  const overflow = left ? m.xor(carry, top) : m.xor(top, nextToTop(m, result, m.size));
  flagsCarryOverflow(m, carry, m.let(overflow));
  return result;
}

// /2 RCL, /3 RCR
export const rcl = counted((m, value, count) => rotateThroughCarry(m, value, count, true));
export const rcr = counted((m, value, count) => rotateThroughCarry(m, value, count, false));

// /4 and /6 SHL
export const shl = counted((m, value, count) => {
  const before = m.let(m.shl(value, m.sub(count, m.constant(1))));
  const result = m.let(m.shl(before, m.constant(1)));
  const carry = m.let(topBit(m, before, m.size));
  flagsShift(m, result, carry, m.let(m.xor(carry, topBit(m, result, m.size))), m.size);
  return result;
});

// /5 SHR
export const shr = counted((m, value, count) => {
  const before = m.let(m.shrU(value, m.sub(count, m.constant(1))));
  const result = m.let(m.shrU(before, m.constant(1)));
  const carry = m.let(m.and(before, m.constant(1)));
  // OF is the sign of the operand for a count of 1: it is then bit n-2 of the result.
  const overflow = m.let(m.xor(topBit(m, result, m.size), nextToTop(m, result, m.size)));
  flagsShift(m, result, carry, overflow, m.size);
  return result;
});

// /7 SAR
export const sar = counted((m, value, count) => {
  const wide = m.let(m.signExtend(value, m.size));
  const before = m.let(m.shrS(wide, m.sub(count, m.constant(1))));
  const result = m.let(m.shrS(before, m.constant(1)));
  flagsShift(m, result, m.let(m.and(before, m.constant(1))), m.constant(0), m.size);
  return result;
});

/**
 * SHLD and SHRD: operands are destination, source, count. With operands of 16 bits and a count above 16
 * the manual leaves everything undefined; an AMD processor of family 25 shifts the source in a second
 * time and clears CF.
 */
function double(left: boolean): Semantics {
  return (m) => {
    const value = m.modify(0);
    const source = m.read(1);
    const count = m.let(m.and(m.read(2), m.constant(31)));
    m.when(count, () => {
      const before = m.let(
        doubleShifted(m, value, source, m.let(m.sub(count, m.constant(1))), left),
      );
      const result = m.let(doubleShifted(m, value, source, count, left));
      const inRange = m.let(m.size === 4 ? m.constant(1) : m.ltU(count, m.constant(17)));
      const shiftedOut = left ? topBit(m, before, m.size) : m.and(before, m.constant(1));
      const carry = m.let(m.and(shiftedOut, inRange));
      // OF of SHLD takes no notice of the source: that shows at a count of 16 alone.
      const overflow = left
        ? m.xor(carry, topBit(m, m.shl(value, count), m.size))
        : m.xor(topBit(m, before, m.size), topBit(m, result, m.size));
      m.write(0, result);
      flagsShift(m, result, carry, m.let(overflow), m.size);
    });
  };
}

/** Count 0 to 31. */
function doubleShifted<V>(m: Ops<V>, value: V, source: V, count: V, left: boolean): V {
  if (m.size === 4) {
    // The distance 32 - count may be 32, which shifts take as 0: shift by 31 - count, then by 1.
    const rest = m.sub(m.constant(31), count);
    const one = m.constant(1);
    return left
      ? m.or(m.shl(value, count), m.shrU(m.shrU(source, one), rest))
      : m.or(m.shrU(value, count), m.shl(m.shl(source, one), rest));
  }
  const sixteen = m.constant(16);
  const far = m.gtU(count, sixteen);
  const first = m.select(far, source, value);
  return left
    ? m.shrU(m.rotl(m.or(m.shl(first, sixteen), source), count), sixteen)
    : m.rotr(m.or(m.shl(source, sixteen), first), count);
}

// 0F A4, 0F A5  SHLD; 0F AC, 0F AD  SHRD
export const shld = double(true);
export const shrd = double(false);
