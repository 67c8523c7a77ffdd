/** Patching a guest's annotated sites, once all of them were found good. */
import type { PhysicalMemory } from '../cpu/physical-memory.js';
import type { Site } from './annotations.js';
import { encodeCall, encodeLoadCr0, type Region } from './stubs.js';

const OPERAND_SIZE_PREFIX = 0x66;
const NOP = 0x90;
/** The longest NOP of prefixes. */
const NOP_BYTES = 12;

/** Writes what replaces the sites' bytes. Linear addresses are physical while this happens. */
export function patchSites(physical: PhysicalMemory, sites: readonly Site[], region: Region): void {
  for (const site of sites) {
    const code = codeFor(site, region);
    if (code === null) continue;
    physical.load(site.address, Uint8Array.from([...code, ...fill(site.length - code.length)]));
  }
}

/** Null where the site stays native. */
function codeFor(site: Site, region: Region): number[] | null {
  const { patch } = site.call;
  switch (patch.kind) {
    case 'native':
      return null;
    case 'load-cr0':
      return encodeLoadCr0();
    case 'call':
      return encodeCall(site.address, region.stubs[patch.stub]);
  }
}

/** NOPs of as few instructions as will do. */
function fill(length: number): number[] {
  const bytes: number[] = [];
  for (let left = length; left > 0; ) {
    const size = Math.min(left, NOP_BYTES);
    for (let i = 1; i < size; i++) bytes.push(OPERAND_SIZE_PREFIX);
    bytes.push(NOP);
    left -= size;
  }
  return bytes;
}
