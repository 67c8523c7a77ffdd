/** What is true of a processor at every boundary, whatever the guest does. */
import { CR0_CD, CR0_ET, CR0_NW, CR0_PE, CR0_PG } from '../../src/cpu/control-registers.js';
import type { Core } from '../../src/cpu/core.js';
import {
  ACCESS_BIG,
  ACCESS_CODE,
  ACCESS_EXPAND_DOWN,
  ACCESS_PRESENT,
  isReadable,
  isWritableData,
} from '../../src/cpu/descriptors.js';
import { EFLAGS_ARITHMETIC, EFLAGS_RESERVED1, EFLAGS_VM } from '../../src/cpu/eflags.js';
import type { SegmentIndex, State } from '../../src/cpu/state.js';
import * as L from '../../src/cpu/state-layout.js';
import { brokenX87 } from './x87.js';

/** The first invariant that is broken, or null. */
export function brokenInvariant(core: Core): string | null {
  const { state } = core;
  if (state.get(L.ZERO) !== 0) return 'the word of zeros is not zero';
  if (state.get(L.ESP_GUARD) !== 0) return 'ESP is guarded between instructions';
  if (state.get(L.SHADOW) >>> 0 > 2) return 'no such shadow';
  if (core.isExecuting) return 'an instruction is under way';
  return (
    brokenFlags(core) ??
    brokenMode(state) ??
    brokenSegments(state) ??
    brokenPrivilege(state) ??
    brokenX87(state)
  );
}

function brokenFlags({ state, model }: Core): string | null {
  const flags = state.get(L.FLAG_SYSTEM);
  // The arithmetic flags are kept elsewhere.
  const possible = (model.eflags & ~EFLAGS_ARITHMETIC) | EFLAGS_RESERVED1;
  if (flags & ~possible || (flags & EFLAGS_RESERVED1) === 0) return `flags ${flags.toString(16)}`;
  const cr0 = state.get(L.CR0);
  if ((cr0 & CR0_ET) === 0 || cr0 & ~(model.cr0 | CR0_ET)) return `CR0 is ${cr0.toString(16)}`;
  if (state.cr4 & ~model.cr4) return `CR4 is ${state.cr4.toString(16)}`;
  if (cr0 & CR0_PG && (cr0 & CR0_PE) === 0) return 'paging without protection';
  if (cr0 & CR0_NW && (cr0 & CR0_CD) === 0) return 'NW without CD';
  if (flags & EFLAGS_VM && (cr0 & CR0_PE) === 0) return 'VM in real mode';
  return null;
}

function brokenMode(state: State): string | null {
  let mode = 0;
  if (state.segmentAccess(L.SEG_CS) & ACCESS_BIG) mode |= L.MODE_CODE32;
  if (state.segmentAccess(L.SEG_SS) & ACCESS_BIG) mode |= L.MODE_STACK32;
  if (state.cpl === 3) mode |= L.MODE_USER;
  const isVirtual8086 = (state.get(L.FLAG_SYSTEM) & EFLAGS_VM) !== 0;
  if (state.cr0 & CR0_PE && !isVirtual8086) mode |= L.MODE_PROTECTED;
  const kept = L.MODE_CODE32 | L.MODE_STACK32 | L.MODE_USER | L.MODE_PROTECTED;
  if ((state.get(L.MODE) & kept) !== mode) return `MODE is ${state.get(L.MODE)}, not ${mode}`;
  const tlb = state.cpl === 3 ? L.TLB_USER : L.TLB_SUPERVISOR;
  if (state.get(L.TLB_BASE) !== tlb) return 'the TLB is of another privilege';
  return null;
}

function brokenSegments(state: State): string | null {
  for (let i = 0; i < 6; i++) {
    const segment = i as SegmentIndex;
    const at = L.SEGMENTS + i * L.SEGMENT_BYTES;
    const access = state.segmentAccess(segment);
    const below = fastLimit(state.segmentLimit(segment), access) | 0;
    const read = isReadable(access) ? below : 0;
    const write = isWritableData(access) ? below : 0;
    if (state.get(at + L.SEGMENT_READ_BELOW) !== read) return `segment ${i} reads beyond its limit`;
    if (state.get(at + L.SEGMENT_WRITE_BELOW) !== write) return `segment ${i} writes beyond it`;
    if (state.selector(segment) >>> 0 > 0xffff) return `selector ${i} is too wide`;
  }
  return null;
}

function fastLimit(limit: number, access: number): number {
  if ((access & ACCESS_PRESENT) === 0) return 0;
  if ((access & (ACCESS_CODE | ACCESS_EXPAND_DOWN)) === ACCESS_EXPAND_DOWN) return 0;
  return limit >>> 0 < 3 ? 0 : limit - 2;
}

function brokenPrivilege(state: State): string | null {
  const { cpl } = state;
  if (cpl >>> 0 > 3) return `CPL is ${cpl}`;
  if ((state.cr0 & CR0_PE) === 0) return cpl === 0 ? null : 'CPL is not 0 in real mode';
  if (state.get(L.FLAG_SYSTEM) & EFLAGS_VM) {
    if (cpl !== 3) return 'CPL is not 3 in virtual-8086 mode';
    for (let i = 0; i < 6; i++) {
      const segment = i as SegmentIndex;
      if (state.segmentBase(segment) !== state.selector(segment) << 4)
        return `base of segment ${i}`;
      if (state.segmentLimit(segment) !== 0xffff) return `limit of segment ${i} in V86 mode`;
    }
    return null;
  }
  const ss = state.segmentAccess(L.SEG_SS);
  if (ss & ACCESS_PRESENT && ((ss >> 5) & 3) !== cpl) return 'the stack is of another privilege';
  return null;
}
