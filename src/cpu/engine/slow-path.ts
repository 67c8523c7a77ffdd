/** What emitted code calls when an access is not the common case: the whole access, checked. */
import type { AccessSize } from '../bus.js';
import type { Core } from '../core.js';
import { raise } from '../fault.js';
import { isUser, linearForWrite, readSegmented, writeSegmented } from '../segmentation.js';
import type { SegmentIndex } from '../state.js';
import { SEGMENT_BYTES, SEGMENTS } from '../state-layout.js';
import { stringBulk } from './string-bulk.js';

const SEGMENT_SHIFT = 31 - Math.clz32(SEGMENT_BYTES);

function segmentAt(offset: number): SegmentIndex {
  return ((offset - SEGMENTS) >> SEGMENT_SHIFT) as SegmentIndex;
}

/** The services that work on memory and faults, by name. They throw `fault`. */
export function slowPath(core: Core): WebAssembly.ModuleImports {
  return {
    load: (segment: number, offset: number, size: AccessSize) =>
      readSegmented(core, segmentAt(segment), offset, size),
    store: (segment: number, offset: number, size: AccessSize, value: number) =>
      writeSegmented(core, segmentAt(segment), offset, size, value),
    modify: (segment: number, offset: number, size: AccessSize) => {
      const linear = linearForWrite(core, segmentAt(segment), offset, size);
      const user = isUser(core.state);
      core.mmu.probeWrite(linear, size, user);
      return core.mmu.read(linear, size, user);
    },
    raise: (vector: number) => raise(vector),
    bulk: (kind: number, segment: number, size: number) => stringBulk(core, kind, segment, size),
  };
}
