/** What far transfers share: checking the code segment that they go to, and going there. */
import type { Core } from '../core.js';
import {
  type Descriptor,
  isCode,
  isConformingCode,
  isNullSelector,
  markAccessed,
  readDescriptor,
  SELECTOR_RPL,
} from '../descriptors.js';
import { raise, VECTOR_GP, VECTOR_NP } from '../fault.js';
import { setSegmentFrom } from '../segmentation.js';
import { SEG_CS } from '../state-layout.js';

/**
 * Reads and checks the code segment to which RETF and IRET return. Changes nothing.
 * @throws fault #GP, #NP, #PF.
 */
export function checkReturnCode(core: Core, into: Descriptor, selector: number): void {
  if (isNullSelector(selector)) raise(VECTOR_GP);
  readDescriptor(core, into, selector);
  const errorCode = selector & 0xfffc;
  const rpl = selector & SELECTOR_RPL;
  if (!isCode(into.access) || rpl < core.state.cpl) raise(VECTOR_GP, errorCode);
  if (isConformingCode(into.access) ? into.dpl > rpl : into.dpl !== rpl) {
    raise(VECTOR_GP, errorCode);
  }
  if (!into.isPresent) raise(VECTOR_NP, errorCode);
}

/** @throws fault #GP(0) where an offset lies beyond the limit of a code segment to be. */
export function checkTargetOffset(code: Descriptor, offset: number): void {
  if (offset >>> 0 > code.limit >>> 0) raise(VECTOR_GP);
}

/** Loads CS:EIP. All was checked, the accessed bit was probed. The CPL is the caller's to change. */
export function goTo(core: Core, code: Descriptor, rpl: number, offset: number): void {
  markAccessed(core, code);
  setSegmentFrom(core, SEG_CS, (code.selector & 0xfffc) | rpl, code);
  core.state.eip = offset;
}
