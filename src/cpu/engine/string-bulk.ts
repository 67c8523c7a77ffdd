/**
 * REP MOVS and REP STOS, many iterations at once. Each is still a step of its own: they are taken out
 * of the budget, and none is the last one, which the instruction itself does. Where anything could come
 * between two iterations (a fault, a page's end, a watch, the budget's end) fewer are done, or none.
 */
import type { Core } from '../core.js';
import { EFLAGS_DF } from '../eflags.js';
import { isUser } from '../segmentation.js';
import * as L from '../state-layout.js';

/** What is repeated. */
export const BULK_MOVS = 0;
export const BULK_STOS = 1;

const PAGE = 0x1000;
const ES = L.SEGMENTS + L.SEG_ES * L.SEGMENT_BYTES;

/** Iterations of `size` bytes from a linear address to the end of its page. */
function untilPageEnd(linear: number, size: number): number {
  return Math.floor((PAGE - (linear & (PAGE - 1))) / size);
}

/** Iterations from an offset on that stay below a segment's fast limit. */
function untilLimit(
  core: Core,
  segment: number,
  field: number,
  offset: number,
  size: number,
): number {
  const room = (core.state.get(segment + field) >>> 0) - (offset >>> 0);
  return room <= 0 ? 0 : Math.floor(room / size);
}

/**
 * Does some iterations of the instruction at EIP, whose step is under way, but not its last: moves
 * memory, ESI, EDI, ECX and the counts on. 32-bit addresses only.
 * @param kind BULK_MOVS or BULK_STOS.
 * @param segment state offset of the source's segment register.
 */
export function stringBulk(core: Core, kind: number, segment: number, size: number): void {
  if (core.state.get(L.FLAG_SYSTEM) & EFLAGS_DF) return;
  const user = isUser(core.state);
  while (doWithinPages(core, kind, segment, size, user));
}

/** As many as lie in one page each of source and destination. False where that is none. */
function doWithinPages(
  core: Core,
  kind: number,
  segment: number,
  size: number,
  user: boolean,
): boolean {
  const { state, mmu } = core;
  const to = state.get(L.EDI);
  const toLinear = (to + state.get(ES + L.SEGMENT_BASE)) | 0;
  let count = Math.min(
    (state.get(L.ECX) >>> 0) - 1,
    state.get(L.BUDGET),
    untilPageEnd(toLinear, size),
    untilLimit(core, ES, L.SEGMENT_WRITE_BELOW, to, size),
  );
  if (count <= 0) return false;
  const destination = mmu.plainHost(toLinear, true, user);
  if (destination < 0) return false;
  if (kind === BULK_MOVS) {
    const from = state.get(L.ESI);
    const fromLinear = (from + state.get(segment + L.SEGMENT_BASE)) | 0;
    count = Math.min(
      count,
      untilPageEnd(fromLinear, size),
      untilLimit(core, segment, L.SEGMENT_READ_BELOW, from, size),
    );
    const source = mmu.plainHost(fromLinear, false, user);
    if (count <= 0 || source < 0) return false;
    // Where the destination lies ahead inside the source, each iteration reads what one before wrote.
    if (destination > source && destination < source + count * size) return false;
    state.u8.copyWithin(destination, source, source + count * size);
    state.set(L.ESI, from + count * size);
  } else {
    fill(core, destination, count, size);
  }
  state.set(L.EDI, to + count * size);
  state.set(L.ECX, state.get(L.ECX) - count);
  state.set(L.BUDGET, state.get(L.BUDGET) - count);
  state.f64[L.UNRETIRED >> 3] += count;
  return true;
}

function fill(core: Core, at: number, count: number, size: number): void {
  const { state } = core;
  const value = state.get(L.EAX);
  if (size === 4 && (at & 3) === 0) {
    state.i32.fill(value, at >>> 2, (at >>> 2) + count);
    return;
  }
  for (let i = 0; i < count * size; i++) state.u8[at + i] = value >>> ((i % size) * 8);
}
