/** The stack of an inner privilege level, as the TSS names it. Intel SDM vol. 3A §5.8.5. */
import type { Core } from '../core.js';
import { Descriptor, TYPE_32 } from '../descriptors.js';
import { raise, VECTOR_TS } from '../fault.js';
import { checkStackSegment } from '../segmentation.js';
import { SEG_TR } from '../state-layout.js';

/** The stack that the last `readInnerStack` found. */
export class InnerStack {
  readonly segment = new Descriptor();
  selector = 0;
  /** From a 16-bit TSS zero-extended. */
  pointer = 0;
}

/**
 * Reads and checks SSn:ESPn of the present TSS. Changes nothing but `into`.
 * @param level 0 to 2: the CPL to be.
 * @param external EXT bit of the error codes.
 * @throws fault #TS where the TSS is too short or the segment unfit, #SS where it is absent, #PF.
 */
export function readInnerStack(
  core: Core,
  into: InnerStack,
  level: number,
  external: number,
): void {
  const { state, mmu } = core;
  const given = core.interceptor?.innerStack ?? null;
  if (given !== null) {
    const { selector, pointer } = given;
    into.pointer = pointer;
    into.selector = (selector & 0xfffc) | level;
    checkStackSegment(core, into.segment, into.selector, level, VECTOR_TS, external);
    return;
  }
  const base = state.segmentBase(SEG_TR);
  const is32 = (state.segmentAccess(SEG_TR) & TYPE_32) !== 0;
  const at = is32 ? 4 + level * 8 : 2 + level * 4;
  const last = at + (is32 ? 5 : 3);
  if (last > state.segmentLimit(SEG_TR) >>> 0) {
    raise(VECTOR_TS, (state.selector(SEG_TR) & 0xfffc) | external);
  }
  into.pointer = mmu.read((base + at) | 0, is32 ? 4 : 2, false);
  into.selector = mmu.read((base + at + (is32 ? 4 : 2)) | 0, 2, false);
  checkStackSegment(core, into.segment, into.selector, level, VECTOR_TS, external);
}
