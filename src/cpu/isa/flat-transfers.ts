/**
 * What shortcuts of transfers share: flat segments of CPL 0 and 3 recognised by their descriptors, and
 * loaded. A transfer between them leaves every segment's base and limit as they are.
 */
import { ACCESS_DPL_SHIFT, SELECTOR_RPL, SELECTOR_TI } from '../descriptors.js';
import { EFLAGS_NT, EFLAGS_RF, EFLAGS_TF, EFLAGS_VM } from '../eflags.js';
import * as L from '../state-layout.js';
import type { Ops } from './ops.js';

const FLAT_MODE = L.MODE_CODE32 | L.MODE_STACK32 | L.MODE_PROTECTED | L.MODE_FLAT;
/** The first dword of a flat segment's descriptor; the second has DPL 0, the accessed bit, R or W. */
const FLAT_LOW = 0x0000ffff;
/** The second dword of code and of data. */
export const FLAT_CODE_HIGH = 0x00cf9b00;
export const FLAT_DATA_HIGH = 0x00cf9300;
/** Where the DPL is in a descriptor's second dword. */
export const HIGH_DPL_SHIFT = 8 + ACCESS_DPL_SHIFT;
/** What of them a segment register keeps. */
const FLAT_CODE_ACCESS = 0xc09b;
const FLAT_DATA_ACCESS = 0xc093;
/** SEGMENT_READ_BELOW and SEGMENT_WRITE_BELOW of a flat segment. */
const FLAT_BELOW = -3;
/** With these no transfer is an ordinary one. */
export const UNUSUAL_FLAGS = EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM;

/** The CPLs that a shortcut knows. */
export type Level = 0 | 3;

/** Offset of a segment register's field in the state. */
export function field(segment: number, offset: number): number {
  return L.SEGMENTS + segment * L.SEGMENT_BYTES + offset;
}

/** All of the conditions, each 0 or 1; bound. */
export function all<V>(m: Ops<V>, ...conditions: V[]): V {
  return m.let(conditions.reduce((one, other) => m.and(one, other)));
}

/** None of the bits is set. */
export function hasNone<V>(m: Ops<V>, value: V, bits: number): V {
  return m.eqz(m.and(value, m.constant(bits)));
}

/** Flat protected mode, nothing in EFLAGS that makes a transfer special, nobody who must hear of it. */
export function isOrdinary<V>(m: Ops<V>): V {
  const mode = m.and(m.get(L.MODE), m.constant(~L.MODE_USER));
  return all(
    m,
    m.eq(mode, m.constant(FLAT_MODE)),
    hasNone(m, m.get(L.FLAG_SYSTEM), UNUSUAL_FLAGS),
    m.eqz(m.get(L.TRANSFERS_WATCHED)),
  );
}

/**
 * Runs `then` where a bound selector names a flat segment of a level in the GDT.
 * @param dataOrCode FLAT_CODE_HIGH or FLAT_DATA_HIGH.
 */
export function whenFlat<V>(
  m: Ops<V>,
  selector: V,
  dataOrCode: number,
  level: Level,
  then: () => void,
): void {
  const index = m.let(m.and(selector, m.constant(~(SELECTOR_TI | SELECTOR_RPL))));
  const last = m.add(index, m.constant(7));
  const place = m.supervisor(m.let(m.add(m.get(L.GDTR_BASE), index)), 8, 'read');
  const isThere = all(
    m,
    m.ne(index, m.constant(0)),
    hasNone(m, selector, SELECTOR_TI),
    m.eqz(m.gtU(last, m.and(m.get(L.GDTR_LIMIT), m.constant(0xffff)))),
    place.isThere,
  );
  m.when(isThere, () => {
    const high = m.constant(dataOrCode | (level << HIGH_DPL_SHIFT));
    const low = m.constant(FLAT_LOW);
    m.when(m.and(m.eq(place.load(0), low), m.eq(place.load(4), high)), then);
  });
}

/** CS was flat, and is flat again: base and limit stay. The selector is bound; its RPL becomes the level. */
export function setCode<V>(m: Ops<V>, selector: V, level: Level): void {
  const index = m.and(selector, m.constant(~SELECTOR_RPL));
  const access = FLAT_CODE_ACCESS | (level << ACCESS_DPL_SHIFT);
  m.set(field(L.SEG_CS, L.SEGMENT_SELECTOR), m.or(index, m.constant(level)));
  m.set(field(L.SEG_CS, L.SEGMENT_ACCESS), m.constant(access));
  m.set(field(L.SEG_CS, L.SEGMENT_READ_BELOW), m.constant(FLAT_BELOW));
  m.set(field(L.SEG_CS, L.SEGMENT_WRITE_BELOW), m.constant(0));
}

/** SS was flat, and is flat again. */
export function setStack<V>(m: Ops<V>, selector: V, level: Level): void {
  const access = FLAT_DATA_ACCESS | (level << ACCESS_DPL_SHIFT);
  m.set(field(L.SEG_SS, L.SEGMENT_SELECTOR), selector);
  m.set(field(L.SEG_SS, L.SEGMENT_ACCESS), m.constant(access));
}

/** Sets CPL, and what derives from it. */
export function setLevel<V>(m: Ops<V>, level: Level): void {
  m.set(L.CPL, m.constant(level));
  m.set(L.TLB_BASE, m.constant(level === 3 ? L.TLB_USER : L.TLB_SUPERVISOR));
  m.set(L.MODE, m.constant(level === 3 ? FLAT_MODE | L.MODE_USER : FLAT_MODE));
}
