/**
 * What entering a handler does, whoever's IDT has named it.
 *
 * Sources: Intel SDM vol. 3A §6.12.1, §6.8.3; vol. 3B §20.3.1 (virtual-8086 mode).
 */
import type { Core } from '../core.js';
import { EFLAGS_NT, EFLAGS_RF, EFLAGS_TF, EFLAGS_VM, readEflags } from '../eflags.js';
import { VECTOR_DB } from '../fault.js';
import type { DeliveryKind } from '../interceptor.js';
import { setNullSegment } from '../segmentation.js';
import type { State } from '../state.js';
import * as L from '../state-layout.js';
import type { Frame } from './frame.js';

/** Flags that a handler is entered with clear; IF is the gate's to decide. */
export const CLEARED_ON_ENTRY = EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM;

/** In the order in which a frame of virtual-8086 mode is pushed. */
const VIRTUAL_SEGMENTS = [L.SEG_GS, L.SEG_FS, L.SEG_DS, L.SEG_ES] as const;

/** EFLAGS as an event has them pushed. */
export function pushedFlags(state: State, vector: number, kind: DeliveryKind): number {
  // An instruction breakpoint is for its handler to step over: it alone leaves RF as it is.
  const setsRf = kind === 'fault' && vector !== VECTOR_DB;
  return readEflags(state) | (setsRf ? EFLAGS_RF : 0);
}

/** Pushes what a handler of an inner level finds on top: the outer stack, and segments of virtual-8086 mode. */
export function pushOuterStack(core: Core, frame: Frame, isVirtual8086: boolean): void {
  const { state } = core;
  if (isVirtual8086) {
    for (const segment of VIRTUAL_SEGMENTS) frame.push(state.selector(segment));
  }
  frame.push(state.selector(L.SEG_SS));
  frame.push(state.esp);
}

/** Has the data segments of virtual-8086 mode be null. */
export function dropVirtualSegments(core: Core): void {
  for (const segment of VIRTUAL_SEGMENTS) setNullSegment(core, segment);
}
