/** What the processor sees of a descriptor that the guest wrote: a DPL of 1 for 0, and a limit below the hole. */
import {
  ACCESS_CODE,
  ACCESS_EXPAND_DOWN,
  ACCESS_GRANULARITY,
  ACCESS_S,
} from '../cpu/descriptors.js';
import type { GuestDescriptor } from '../cpu/interceptor.js';
import { HOLE, KERNEL_CPL } from './layout.js';

const DPL_SHIFT = 13;
const DPL = 3 << DPL_SHIFT;

/**
 * Adjusts a descriptor just read. Of a system descriptor the DPL alone: what was for CPL 0, such as a
 * jump to a TSS, is for CPL 1.
 * Deviation: of an expand-down segment the limit stays, since it is its lower end; its upper end may
 * reach into the hole, where nothing is mapped.
 */
export function adjustDescriptor(descriptor: GuestDescriptor): void {
  if ((descriptor.high & DPL) === 0) descriptor.high |= KERNEL_CPL << DPL_SHIFT;
  if ((descriptor.high & (ACCESS_S << 8)) === 0) return;
  const kind = (descriptor.high >>> 8) & (ACCESS_CODE | ACCESS_EXPAND_DOWN);
  if (kind === ACCESS_EXPAND_DOWN) return;
  const limit = truncatedLimit(descriptor.base >>> 0, descriptor.limit >>> 0);
  if (limit === descriptor.limit >>> 0) return;
  // Only a limit of 1 MiB and more can have been cut, or one just below the hole.
  const isPaged = (descriptor.high & (ACCESS_GRANULARITY << 8)) !== 0;
  const field = isPaged ? Math.max(0, ((limit + 1) >>> 12) - 1) : limit;
  descriptor.low = (descriptor.low & ~0xffff) | (field & 0xffff);
  descriptor.high = (descriptor.high & ~0xf0000) | (field & 0xf0000);
}

/** The limit, in bytes, of a segment that must end below the hole; 0 of one that begins in it. */
export function truncatedLimit(base: number, limit: number): number {
  if (base >= HOLE) return 0;
  return Math.min(limit, HOLE - 1 - base);
}
