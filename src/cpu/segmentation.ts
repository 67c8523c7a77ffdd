/**
 * Segment registers: loading them, and checking what goes through them.
 *
 * The derived words of the state are kept here and nowhere else: a segment's fast limits
 * (SEGMENT_READ_BELOW, SEGMENT_WRITE_BELOW), MODE and TLB_BASE. A segment register that holds a null
 * selector has access rights 0, so that its P bit says whether it may be used at all.
 *
 * Sources: Intel SDM vol. 3A §5.3 to §5.7, vol. 2 "MOV", "POP", "LDS".
 */
import type { AccessSize } from './bus.js';
import { CR0_PE } from './control-registers.js';
import type { Core } from './core.js';
import {
  ACCESS_BIG,
  ACCESS_CODE,
  ACCESS_CONFORMING,
  ACCESS_EXPAND_DOWN,
  ACCESS_GRANULARITY,
  ACCESS_PRESENT,
  accessDpl,
  Descriptor,
  isConformingCode,
  isNullSelector,
  isReadable,
  isWritableData,
  markAccessed,
  probeAccessed,
  readDescriptor,
  SELECTOR_RPL,
} from './descriptors.js';
import { EFLAGS_VM } from './eflags.js';
import { raise, VECTOR_GP, VECTOR_NP, VECTOR_SS } from './fault.js';
import type { SegmentIndex, State } from './state.js';
import * as L from './state-layout.js';

/** The access rights of a segment in virtual-8086 mode: data, writable, DPL 3. */
const ACCESS_V86 = 0xf3;
/** Those of one loaded in real mode: the same with DPL 0. */
const ACCESS_REAL = 0x93;
const REAL_LIMIT = 0xffff;

/**
 * Writes a segment register, hidden part included, with no check at all, and what derives from it: its
 * fast limits, MODE where it is CS or SS. Tells the engine when code has moved.
 * @param limit in bytes, granularity applied.
 * @param access as in SEGMENT_ACCESS; 0 makes the register unusable, as a null selector does.
 */
export function setSegment(
  core: Core,
  segment: SegmentIndex,
  selector: number,
  base: number,
  limit: number,
  access: number,
): void {
  const words = core.state.i32;
  const at = (L.SEGMENTS + segment * L.SEGMENT_BYTES) >> 2;
  const isSamePlace =
    words[at + (L.SEGMENT_BASE >> 2)] === (base | 0) &&
    words[at + (L.SEGMENT_LIMIT >> 2)] === (limit | 0);
  words[at] = selector & 0xffff;
  // Nothing derives from the selector.
  if (isSamePlace && words[at + (L.SEGMENT_ACCESS >> 2)] === access) return;
  words[at + (L.SEGMENT_BASE >> 2)] = base;
  words[at + (L.SEGMENT_LIMIT >> 2)] = limit;
  words[at + (L.SEGMENT_ACCESS >> 2)] = access;
  deriveSegment(core.state, segment);
  if (segment === L.SEG_CS && !isSamePlace) core.onCodeMapChange();
}

/** Works out what derives from the hidden part of a segment register: its fast limits, and MODE. */
export function deriveSegment(state: State, segment: SegmentIndex): void {
  const words = state.i32;
  const at = (L.SEGMENTS + segment * L.SEGMENT_BYTES) >> 2;
  const access = words[at + (L.SEGMENT_ACCESS >> 2)];
  const limit = words[at + (L.SEGMENT_LIMIT >> 2)];
  const below = fastLimit(limit, access);
  words[at + (L.SEGMENT_READ_BELOW >> 2)] = isReadable(access) ? below : 0;
  words[at + (L.SEGMENT_WRITE_BELOW >> 2)] = isWritableData(access) ? below : 0;
  const isBig = (access & ACCESS_BIG) !== 0;
  if (segment === L.SEG_CS) setMode(state, L.MODE_CODE32, isBig);
  else if (segment === L.SEG_SS) setMode(state, L.MODE_STACK32, isBig);
  if (segment <= L.SEG_DS) setMode(state, L.MODE_FLAT, isFlat(state));
}

function setMode(state: State, bit: number, isSet: boolean): void {
  const mode = state.get(L.MODE);
  state.set(L.MODE, isSet ? mode | bit : mode & ~bit);
}

/** SEGMENT_READ_BELOW of a segment that may be read. */
function fastLimit(limit: number, access: number): number {
  if ((access & ACCESS_PRESENT) === 0) return 0;
  if ((access & (ACCESS_CODE | ACCESS_EXPAND_DOWN)) === ACCESS_EXPAND_DOWN) return 0;
  return limit >>> 0 < 3 ? 0 : limit - 2;
}

/** Makes a segment register hold a null selector: unusable until it is loaded again. */
export function setNullSegment(core: Core, segment: SegmentIndex, selector = 0): void {
  setSegment(core, segment, selector, 0, 0, 0);
}

/** Writes a segment register from a descriptor that was found good. */
export function setSegmentFrom(
  core: Core,
  segment: SegmentIndex,
  selector: number,
  descriptor: Descriptor,
): void {
  setSegment(core, segment, selector, descriptor.base, descriptor.limit, descriptor.access);
}

/** Changes the CPL and what derives from it: MODE and the TLB in use. */
export function setCpl(core: Core, cpl: number): void {
  if (cpl === 3 && core.onUserEntry !== null && core.state.cpl !== 3) core.onUserEntry();
  core.state.set(L.CPL, cpl);
  core.state.set(L.TLB_BASE, cpl === 3 ? L.TLB_USER : L.TLB_SUPERVISOR);
  updateMode(core);
}

/** Works MODE out anew. To be called when CR0.PE or EFLAGS.VM has changed. */
export function updateMode(core: Core): void {
  const state = core.state;
  let mode = 0;
  if (state.segmentAccess(L.SEG_CS) & ACCESS_BIG) mode |= L.MODE_CODE32;
  if (state.segmentAccess(L.SEG_SS) & ACCESS_BIG) mode |= L.MODE_STACK32;
  if (state.cpl === 3) mode |= L.MODE_USER;
  if (state.cr0 & CR0_PE && (state.get(L.FLAG_SYSTEM) & EFLAGS_VM) === 0) {
    mode |= L.MODE_PROTECTED;
  }
  if (isFlat(state)) mode |= L.MODE_FLAT;
  state.set(L.MODE, mode);
}

/** SEGMENT_WRITE_BELOW of a writable segment whose limit is FFFFFFFFh. */
const FLAT_BELOW = -3;

function isFlat(state: State): boolean {
  if (state.segmentBase(L.SEG_CS) !== 0 || state.segmentLimit(L.SEG_CS) !== -1) return false;
  return isFlatData(state, L.SEG_SS) && isFlatData(state, L.SEG_DS) && isFlatData(state, L.SEG_ES);
}

function isFlatData(state: State, segment: SegmentIndex): boolean {
  const at = L.SEGMENTS + segment * L.SEGMENT_BYTES;
  return state.segmentBase(segment) === 0 && state.get(at + L.SEGMENT_WRITE_BELOW) === FLAT_BELOW;
}

/** CR0.PE is set and EFLAGS.VM clear: selectors name descriptors. */
export function isProtectedMode(state: State): boolean {
  return (state.get(L.MODE) & L.MODE_PROTECTED) !== 0;
}

/** Accesses are made at CPL 3: the `user` of the Mmu. */
export function isUser(state: State): boolean {
  return state.get(L.CPL) === 3;
}

const loaded = new Descriptor();

/**
 * Loads ES, SS, DS, FS or GS (`segment` is none of the others) as MOV, POP and the far-pointer loads do: all checks, then the accessed
 * bit, then the register. The shadow of MOV SS is its instruction's own.
 * @throws fault #GP, #NP, #SS or #PF, with nothing changed.
 */
export function loadDataSegment(core: Core, segment: SegmentIndex, selector: number): void {
  if (!isProtectedMode(core.state)) {
    setRealSegment(core, segment, selector);
    return;
  }
  if (segment === L.SEG_SS) {
    checkStackSegment(core, loaded, selector, core.state.cpl, VECTOR_GP, 0);
  } else if (isNullSelector(selector)) {
    setNullSegment(core, segment, selector);
    return;
  } else {
    checkDataSegment(core, loaded, selector, core.state.cpl, VECTOR_GP, 0);
  }
  probeAccessed(core, loaded);
  markAccessed(core, loaded);
  setSegmentFrom(core, segment, selector, loaded);
}

/**
 * Reads and checks the descriptor of a stack segment for `cpl`, and changes nothing.
 * @param vector of all faults but that of an absent segment, which is #SS.
 * @param external EXT bit of the error codes.
 * @throws fault `vector`, with error code 0 for a null selector; #SS; #PF.
 */
export function checkStackSegment(
  core: Core,
  into: Descriptor,
  selector: number,
  cpl: number,
  vector: number,
  external: number,
): void {
  if (isNullSelector(selector)) raise(vector, external);
  readDescriptor(core, into, selector, vector, external);
  if ((selector & SELECTOR_RPL) !== cpl || into.dpl !== cpl || !isWritableData(into.access)) {
    raise(vector, (selector & 0xfffc) | external);
  }
  if (!into.isPresent) raise(VECTOR_SS, (selector & 0xfffc) | external);
}

/**
 * Reads and checks the descriptor of a data segment (ES, DS, FS, GS) for `cpl`, and changes nothing.
 * @param selector not null.
 * @param vector of all faults but that of an absent segment, which is #NP.
 * @param external EXT bit of the error codes.
 * @throws fault `vector`; #NP; #PF.
 */
export function checkDataSegment(
  core: Core,
  into: Descriptor,
  selector: number,
  cpl: number,
  vector: number,
  external: number,
): void {
  const errorCode = (selector & 0xfffc) | external;
  readDescriptor(core, into, selector, vector, external);
  const access = into.access;
  if (!isReadable(access)) raise(vector, errorCode);
  if (!isConformingCode(access) && Math.max(selector & SELECTOR_RPL, cpl) > into.dpl) {
    raise(vector, errorCode);
  }
  if (!into.isPresent) raise(VECTOR_NP, errorCode);
}

/**
 * Loads a segment register the way of the 8086: base = selector * 16. In virtual-8086 mode limit and
 * rights are fixed. In real mode the segment can be read and written, CS too, while its limit and the D
 * or B bit stay what they were: a segment that was left large stays so ("unreal mode"). One that held a
 * null selector has nothing to keep, and gets 64 KiB.
 */
export function setRealSegment(core: Core, segment: SegmentIndex, selector: number): void {
  const state = core.state;
  const base = (selector & 0xffff) << 4;
  if (state.get(L.FLAG_SYSTEM) & EFLAGS_VM) {
    setSegment(core, segment, selector, base, REAL_LIMIT, ACCESS_V86);
    return;
  }
  const access = state.segmentAccess(segment);
  const limit = access & ACCESS_PRESENT ? state.segmentLimit(segment) : REAL_LIMIT;
  const kept = access & (ACCESS_BIG | ACCESS_GRANULARITY);
  setSegment(core, segment, selector, base, limit, kept | ACCESS_REAL);
}

/**
 * Makes ES, DS, FS and GS null where they may not be used at an outer level: data and nonconforming
 * code whose DPL is below the CPL. Intel SDM vol. 3A §5.8.6, step 5.
 */
export function dropInnerSegments(core: Core, cpl: number): void {
  dropIfInner(core, L.SEG_ES, cpl);
  dropIfInner(core, L.SEG_DS, cpl);
  dropIfInner(core, L.SEG_FS, cpl);
  dropIfInner(core, L.SEG_GS, cpl);
}

function dropIfInner(core: Core, segment: SegmentIndex, cpl: number): void {
  const access = core.state.segmentAccess(segment);
  if (accessDpl(access) >= cpl) return;
  const isConforming = (access & (ACCESS_CODE | ACCESS_CONFORMING)) > ACCESS_CODE;
  if (!isConforming) setNullSegment(core, segment);
}

/**
 * The linear address of an access of `size` bytes that reads.
 * @param offset 32 bits; it does not wrap inside the segment.
 * @throws fault #GP(0), or #SS(0) where the segment is SS: null, not readable, or beyond the limit.
 */
export function linearForRead(
  core: Core,
  segment: SegmentIndex,
  offset: number,
  size: number,
): number {
  const words = core.state.i32;
  const at = (L.SEGMENTS + segment * L.SEGMENT_BYTES) >> 2;
  if (offset >>> 0 >= words[at + (L.SEGMENT_READ_BELOW >> 2)] >>> 0 || size > 4) {
    const access = words[at + (L.SEGMENT_ACCESS >> 2)];
    const limit = words[at + (L.SEGMENT_LIMIT >> 2)];
    if (!isReadable(access) || !isWithinLimit(limit, access, offset, size)) {
      raise(segment === L.SEG_SS ? VECTOR_SS : VECTOR_GP);
    }
  }
  return (words[at + (L.SEGMENT_BASE >> 2)] + offset) | 0;
}

/**
 * The linear address of an access of `size` bytes that writes.
 * @throws fault #GP(0), or #SS(0) where the segment is SS: null, not writable, or beyond the limit.
 */
export function linearForWrite(
  core: Core,
  segment: SegmentIndex,
  offset: number,
  size: number,
): number {
  const words = core.state.i32;
  const at = (L.SEGMENTS + segment * L.SEGMENT_BYTES) >> 2;
  if (offset >>> 0 >= words[at + (L.SEGMENT_WRITE_BELOW >> 2)] >>> 0 || size > 4) {
    const access = words[at + (L.SEGMENT_ACCESS >> 2)];
    const limit = words[at + (L.SEGMENT_LIMIT >> 2)];
    if (!isWritableData(access) || !isWithinLimit(limit, access, offset, size)) {
      raise(segment === L.SEG_SS ? VECTOR_SS : VECTOR_GP);
    }
  }
  return (words[at + (L.SEGMENT_BASE >> 2)] + offset) | 0;
}

/**
 * All bytes of an access lie inside a segment that is present. An expand-down segment holds the
 * offsets above its limit, up to FFFFh or FFFFFFFFh by its B bit. Intel SDM vol. 3A §5.3.
 */
export function isWithinLimit(
  limit: number,
  access: number,
  offset: number,
  size: number,
): boolean {
  if ((access & ACCESS_PRESENT) === 0) return false;
  const first = offset >>> 0;
  const last = first + size - 1;
  if ((access & (ACCESS_CODE | ACCESS_EXPAND_DOWN)) !== ACCESS_EXPAND_DOWN) {
    return last <= limit >>> 0;
  }
  return first > limit >>> 0 && last <= (access & ACCESS_BIG ? 0xffffffff : 0xffff);
}

/**
 * Reads through a segment at the present CPL. 4 bytes come signed.
 * @throws fault #GP(0), #SS(0), #PF, #AC.
 */
export function readSegmented(
  core: Core,
  segment: SegmentIndex,
  offset: number,
  size: AccessSize,
): number {
  return core.mmu.read(linearForRead(core, segment, offset, size), size, isUser(core.state));
}

/**
 * Writes through a segment at the present CPL.
 * @throws fault #GP(0), #SS(0), #PF, #AC.
 */
export function writeSegmented(
  core: Core,
  segment: SegmentIndex,
  offset: number,
  size: AccessSize,
  value: number,
): void {
  core.mmu.write(linearForWrite(core, segment, offset, size), size, value, isUser(core.state));
}

/**
 * The linear address of an offset in CS.
 * @throws fault #GP(0) beyond the limit of CS.
 */
export function codeLinear(core: Core, offset: number): number {
  checkCodeLimit(core, offset);
  return (core.state.segmentBase(L.SEG_CS) + offset) | 0;
}

/**
 * Checks a branch target against the limit of CS.
 * @throws fault #GP(0) beyond it.
 */
export function checkCodeLimit(core: Core, offset: number): void {
  if (offset >>> 0 > core.state.segmentLimit(L.SEG_CS) >>> 0) raise(VECTOR_GP);
}
