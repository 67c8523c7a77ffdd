/** The guest's memory by linear address, as a debugger may look at it: nothing faults, nothing changes. */
import type { Core } from '../cpu/core.js';

const PAGE_BYTES = 4096;
const ADDRESS_SPACE = 2 ** 32;

/**
 * RAM from a linear address on, up to the first byte that is not mapped or not RAM. Devices' windows
 * are left alone, as reading a device may change it.
 */
export function readLinear(core: Core, linear: number, length: number): Uint8Array {
  const { ram } = core.physical;
  const bytes = new Uint8Array(length);
  let done = 0;
  for (const { physical, size } of pieces(core, linear, length)) {
    bytes.set(ram.subarray(physical, physical + size), done);
    done += size;
  }
  return bytes.subarray(0, done);
}

/** True when all of the range is mapped and RAM. */
export function isLinearRam(core: Core, linear: number, length: number): boolean {
  let size = 0;
  for (const piece of pieces(core, linear, length)) size += piece.size;
  return size === length;
}

/** Writes where `isLinearRam` is true, whatever the pages' permissions are. Changes guest state. */
export function writeLinear(core: Core, linear: number, bytes: Uint8Array): void {
  let done = 0;
  // A write to a page table may change where the next piece lies, so all are looked up before.
  for (const { physical, size } of [...pieces(core, linear, bytes.length)]) {
    core.physical.load(physical, bytes.subarray(done, done + size));
    done += size;
  }
}

/** RAM from a physical address on, up to its end. */
export function readPhysical(core: Core, address: number, length: number): Uint8Array {
  const { ram, ramBytes } = core.physical;
  return ram.slice(Math.min(address, ramBytes), Math.min(address + length, ramBytes));
}

/** True when all of the physical range is RAM. */
export function isPhysicalRam(core: Core, address: number, length: number): boolean {
  return address + length <= core.physical.ramBytes;
}

/** Runs of bytes within one page each, until one is not mapped or not RAM. */
function* pieces(
  core: Core,
  linear: number,
  length: number,
): Generator<{ readonly physical: number; readonly size: number }> {
  const end = Math.min(linear + length, ADDRESS_SPACE);
  for (let at = linear; at < end; ) {
    const size = Math.min(PAGE_BYTES - (at % PAGE_BYTES), end - at);
    const physical = core.mmu.peek(at);
    if (physical < 0 || !core.physical.isReadableRam(Math.floor(physical / PAGE_BYTES))) return;
    yield { physical, size };
    at += size;
  }
}
