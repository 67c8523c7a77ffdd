/** Writes tables into the RAM of a world that is being made. */
import type { Cpu } from '../../src/cpu/cpu.js';
import * as L from '../../src/cpu/state-layout.js';
import { RAM_BYTES } from './layout.js';

/** RAM that nobody watches yet: plain stores. */
export class Memory {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(cpu: Cpu) {
    this.bytes = cpu.core.physical.ram;
    this.#view = new DataView(this.bytes.buffer, L.RAM_BASE, RAM_BYTES);
  }

  get32(at: number): number {
    return this.#view.getInt32(at, true);
  }

  put16(at: number, value: number): void {
    this.#view.setUint16(at, value & 0xffff, true);
  }

  put32(at: number, value: number): void {
    this.#view.setInt32(at, value, true);
  }

  /** A descriptor. @param limit of 20 bits. @param access as in SEGMENT_ACCESS. */
  putDescriptor(at: number, base: number, limit: number, access: number): void {
    this.put32(at, (limit & 0xffff) | (base << 16));
    const high = ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (base & 0xff000000);
    this.put32(at + 4, high);
  }

  /** Repeats the first `tile` bytes of a range. */
  repeat(start: number, end: number, tile: number): void {
    for (let at = start + tile; at < end; at += tile) {
      this.bytes.copyWithin(at, start, Math.min(start + tile, start + end - at));
    }
  }
}
