/**
 * MUL, IMUL, DIV, IDIV. Undefined flags are as an AMD processor of family 25 leaves them: a
 * multiplication keeps SF, ZF, AF and PF.
 */
import { EAX, EDX } from '../state-layout.js';
import { flagsCarryOverflow, flagsDivision } from './flags.js';
import type { Ops, Semantics } from './ops.js';

/** Stores a double-width product: AX, or DX:AX, or EDX:EAX. */
function storeProduct<V>(m: Ops<V>, low: V, high: V): void {
  if (m.size === 1) {
    m.set(EAX, low, 2);
    return;
  }
  m.set(EAX, low, m.size);
  m.set(EDX, high, m.size);
}

// F6 /4, F7 /4  MUL
export const mul: Semantics = (m) => {
  const a = m.let(m.get(EAX, m.size));
  const b = m.read(0);
  const low = m.let(m.mul(a, b));
  const high = m.let(m.size === 4 ? m.mulHighU(a, b) : m.shrU(low, m.constant(m.size * 8)));
  storeProduct(m, low, high);
  const overflow = m.let(m.ne(high, m.constant(0)));
  flagsCarryOverflow(m, overflow, overflow);
};

/** 1 where the signed product does not fit the operand size. */
function overflows<V>(m: Ops<V>, low: V, high: V): V {
  if (m.size === 4) return m.ne(high, m.shrS(low, m.constant(31)));
  return m.ne(low, m.signExtend(low, m.size));
}

function signedProduct<V>(m: Ops<V>, x: V, y: V): { low: V; high: V; overflow: V } {
  const a = m.let(m.signExtend(x, m.size));
  const b = m.let(m.signExtend(y, m.size));
  const low = m.let(m.mul(a, b));
  const high = m.let(m.size === 4 ? m.mulHighS(a, b) : m.shrS(low, m.constant(m.size * 8)));
  return { low, high, overflow: m.let(overflows(m, low, high)) };
}

// F6 /5, F7 /5  IMUL r/m
export const imulAccumulator: Semantics = (m) => {
  const { low, high, overflow } = signedProduct(m, m.let(m.get(EAX, m.size)), m.read(0));
  storeProduct(m, low, high);
  flagsCarryOverflow(m, overflow, overflow);
};

// 0F AF  IMUL r, r/m
export const imul: Semantics = (m) => {
  const { low, overflow } = signedProduct(m, m.read(0), m.read(1));
  m.write(0, low);
  flagsCarryOverflow(m, overflow, overflow);
};

// 69, 6B  IMUL r, r/m, imm
export const imulImmediate: Semantics = (m) => {
  const { low, overflow } = signedProduct(m, m.read(1), m.read(2));
  m.write(0, low);
  flagsCarryOverflow(m, overflow, overflow);
};

function division(isSigned: boolean): Semantics {
  return (m) => {
    const divisor = m.read(0);
    const { high, low } = dividend(m, isSigned);
    const { quotient, remainder } = m.divide(
      high,
      low,
      isSigned ? m.signExtend(divisor, m.size) : divisor,
      isSigned,
      m.size,
    );
    if (m.size === 1) {
      m.set(EAX, quotient, 1);
      m.set(EAX + 1, remainder, 1);
    } else {
      m.set(EAX, quotient, m.size);
      m.set(EDX, remainder, m.size);
    }
    flagsDivision(m);
  };
}

/** AX, DX:AX or EDX:EAX as a 64-bit value. */
function dividend<V>(m: Ops<V>, isSigned: boolean): { high: V; low: V } {
  if (m.size === 4) return { high: m.let(m.get(EDX)), low: m.let(m.get(EAX)) };
  let low: V;
  if (m.size === 1) {
    low = m.let(isSigned ? m.signExtend(m.get(EAX, 2), 2) : m.get(EAX, 2));
  } else {
    low = m.let(m.or(m.shl(m.get(EDX, 2), m.constant(16)), m.get(EAX, 2)));
  }
  return { high: m.let(isSigned ? m.shrS(low, m.constant(31)) : m.constant(0)), low };
}

// F6 /6, F7 /6  DIV; F6 /7, F7 /7  IDIV
export const div = division(false);
export const idiv = division(true);
