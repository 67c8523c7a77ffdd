/**
 * BT, BTS, BTR, BTC, BSF, BSR. A bit offset in a register reaches beyond a memory operand, by whole
 * operands up and down; one in an immediate is taken modulo the operand's bits. All flags but the one
 * defined keep their value, as the processor leaves them. Intel SDM vol. 2A, "BT".
 */
import { flagsCarryOverflow, flagsZero, overflowFlag } from './flags.js';
import type { Modifiable, Ops, Semantics } from './ops.js';

type Change = <V>(m: Ops<V>, value: V, mask: V) => V;

/** Opens the operand word that holds the bit. */
function word<V>(m: Ops<V>, offset: V, byRegister: boolean, writes: boolean): Modifiable<V> {
  if (!m.isMemory(0) || !byRegister) {
    return { value: writes ? m.modify(0) : m.read(0), store: (value) => m.write(0, value) };
  }
  const shift = m.size === 4 ? 5 : 4;
  const words = m.shrS(m.signExtend(offset, m.size), m.constant(shift));
  const far = m.add(m.address(), m.mul(words, m.constant(m.size)));
  const at = m.let(m.addressSize === 2 ? m.truncate(far, 2) : far);
  if (writes) return m.modifyAt(m.segment(), at, m.size);
  return { value: m.load(m.segment(), at, m.size), store: () => undefined };
}

function bitTest(change: Change | null, byRegister: boolean): Semantics {
  return (m) => {
    const offset = m.read(1);
    const place = word(m, offset, byRegister, change !== null);
    const bit = m.let(m.and(offset, m.constant(m.size * 8 - 1)));
    const carry = m.let(m.and(m.shrU(place.value, bit), m.constant(1)));
    if (change !== null) {
      place.store(change(m, place.value, m.shl(m.constant(1), bit)));
    }
    flagsCarryOverflow(m, carry, m.let(overflowFlag(m)));
  };
}

const set: Change = (m, value, mask) => m.or(value, mask);
const reset: Change = (m, value, mask) => m.and(value, m.not(mask));
const complement: Change = (m, value, mask) => m.xor(value, mask);

// 0F A3 BT, 0F AB BTS, 0F B3 BTR, 0F BB BTC
export const bt = bitTest(null, true);
export const bts = bitTest(set, true);
export const btr = bitTest(reset, true);
export const btc = bitTest(complement, true);

// 0F BA /4 to /7
export const btImmediate = bitTest(null, false);
export const btsImmediate = bitTest(set, false);
export const btrImmediate = bitTest(reset, false);
export const btcImmediate = bitTest(complement, false);

/** With a source of zero the destination keeps its value, as processors do. */
function scan(find: <V>(m: Ops<V>, source: V) => V): Semantics {
  return (m) => {
    const source = m.read(1);
    m.when(source, () => m.write(0, find(m, source)));
    flagsZero(m, m.eqz(source));
  };
}

// 0F BC  BSF, 0F BD  BSR
export const bsf = scan((m, source) => m.ctz(source));
export const bsr = scan((m, source) => m.sub(m.constant(31), m.clz(source)));
