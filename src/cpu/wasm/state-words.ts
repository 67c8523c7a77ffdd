/** Code that reads and writes words of the one memory, as handlers, regions and the run loop all need it. */
import { TLB_ENTRIES, TLB_ENTRY_SHIFT } from '../state-layout.js';
import { type Bytes, constant, memarg, OP } from './encoder.js';

/** The state word at an offset (state-layout.ts). */
export function loadWord(offset: number): Bytes {
  return [...constant(0), OP.i32Load, ...memarg(offset)];
}

/** Writes a value into a state word. */
export function storeWord(offset: number, value: Bytes): Bytes {
  return [...constant(0), ...value, OP.i32Store, ...memarg(offset)];
}

/** Where a TLB has a linear address: the entry's place in the memory. @param tlb the TLB's place. */
export function tlbEntry(linear: Bytes, tlb: Bytes): Bytes {
  const shift = constant(12 - TLB_ENTRY_SHIFT);
  const mask = constant((TLB_ENTRIES - 1) << TLB_ENTRY_SHIFT);
  return [...tlb, ...linear, ...shift, OP.i32ShrU, ...mask, OP.i32And, OP.i32Add];
}
