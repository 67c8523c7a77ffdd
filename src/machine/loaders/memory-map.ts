/** The map of RAM that loaders hand to kernels, with the types of the BIOS's INT 15h, AX=E820h. */
import { HIGH_MEMORY, LOW_MEMORY_END, type Range } from './memory-plan.js';

const AVAILABLE = 1;
const RESERVED = 2;

/** A range of physical addresses, and what it is. */
export interface MapEntry extends Range {
  readonly type: number;
}

/** All of RAM but the hole in which video memory and ROMs lie. */
export function memoryMap(memoryBytes: number): MapEntry[] {
  const map = [
    { first: 0, end: LOW_MEMORY_END, type: AVAILABLE },
    { first: LOW_MEMORY_END, end: HIGH_MEMORY, type: RESERVED },
  ];
  if (memoryBytes > HIGH_MEMORY) {
    map.push({ first: HIGH_MEMORY, end: memoryBytes, type: AVAILABLE });
  }
  return map;
}
