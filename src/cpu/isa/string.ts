/**
 * MOVS, CMPS, STOS, LODS, SCAS, alone and repeated. One run of a semantics is one iteration: a REP
 * that is not through ends in `repeat`, so an interrupt, a fault or a breakpoint can come between any
 * two, with the registers as the manual says. Intel SDM vol. 2B, "REP/REPE/REPZ/REPNE/REPNZ".
 */
import { EFLAGS_DF } from '../eflags.js';
import { EAX, ECX, EDI, ESI, FLAG_SYSTEM, SEG_ES } from '../state-layout.js';
import { flagsSub, zeroFlag } from './flags.js';
import type { Ops, Semantics } from './ops.js';

function offsetIn<V>(m: Ops<V>, register: number): V {
  return m.let(m.get(register, m.addressSize));
}

/** What is added to ESI and EDI: the operand size, negative where DF is set. */
function stride<V>(m: Ops<V>): V {
  const isDown = m.and(m.get(FLAG_SYSTEM), m.constant(EFLAGS_DF));
  return m.let(m.select(isDown, m.constant(-m.size), m.constant(m.size)));
}

/** How one iteration is repeated: not at all, by count, or by count and ZF. */
function repeated(
  comparesFlags: boolean,
  iteration: <V>(m: Ops<V>) => void,
  ahead: 'movs' | 'stos' | null = null,
): Semantics {
  return (m) => {
    if (m.rep === 0) {
      iteration(m);
      return;
    }
    if (ahead !== null) m.iterateAhead(ahead);
    const count = m.let(m.get(ECX, m.addressSize));
    m.when(count, () => {
      iteration(m);
      const left = m.let(m.truncate(m.sub(count, m.constant(1)), m.addressSize));
      m.set(ECX, left, m.addressSize);
      const zero = zeroFlag(m);
      const goesOn = comparesFlags
        ? m.and(m.ne(left, m.constant(0)), m.rep === 0xf3 ? zero : m.eqz(zero))
        : left;
      m.when(goesOn, () => m.repeat());
    });
  };
}

// A4, A5
export const movs = repeated(
  false,
  (m) => {
    const source = offsetIn(m, ESI);
    const destination = offsetIn(m, EDI);
    const value = m.load(m.segment(), source, m.size);
    m.store(m.fixedSegment(SEG_ES), destination, m.size, value);
    const by = stride(m);
    m.set(ESI, m.add(source, by), m.addressSize);
    m.set(EDI, m.add(destination, by), m.addressSize);
  },
  'movs',
);

// A6, A7
export const cmps = repeated(true, (m) => {
  const source = offsetIn(m, ESI);
  const destination = offsetIn(m, EDI);
  const a = m.load(m.segment(), source, m.size);
  const b = m.load(m.fixedSegment(SEG_ES), destination, m.size);
  const by = stride(m);
  m.set(ESI, m.add(source, by), m.addressSize);
  m.set(EDI, m.add(destination, by), m.addressSize);
  flagsSub(m, a, b, m.let(m.sub(a, b)), m.size);
});

// AA, AB
export const stos = repeated(
  false,
  (m) => {
    const destination = offsetIn(m, EDI);
    m.store(m.fixedSegment(SEG_ES), destination, m.size, m.let(m.get(EAX, m.size)));
    m.set(EDI, m.add(destination, stride(m)), m.addressSize);
  },
  'stos',
);

// AC, AD
export const lods = repeated(false, (m) => {
  const source = offsetIn(m, ESI);
  m.set(EAX, m.load(m.segment(), source, m.size), m.size);
  m.set(ESI, m.add(source, stride(m)), m.addressSize);
});

// AE, AF
export const scas = repeated(true, (m) => {
  const destination = offsetIn(m, EDI);
  const a = m.let(m.get(EAX, m.size));
  const b = m.load(m.fixedSegment(SEG_ES), destination, m.size);
  m.set(EDI, m.add(destination, stride(m)), m.addressSize);
  flagsSub(m, a, b, m.let(m.sub(a, b)), m.size);
});
