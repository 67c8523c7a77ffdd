/**
 * Blocks that are entered often, compiled: which, and where their functions are in the table.
 */
import type { Core } from '../core.js';
import { compileRegion } from '../jit/compile-region.js';
import { findRegion } from '../jit/region.js';
import { HANDLER_SLOTS } from './handlers.js';
import { RECORD_HANDLER } from './record.js';

/** Entries after which a block is compiled, with what it jumps to, unless told otherwise. */
export const HOT_ENTRIES = 200;
/** Compiled regions at the most: when they are used up, all decoded and compiled code is dropped. */
export const REGION_SLOTS = 4096;
/** A region of fewer instructions costs more to enter than it saves. */
const WORTHWHILE = 3;

export class HotCode {
  /** Entries after which a block is compiled. */
  readonly entries: number;

  readonly #core: Core;
  readonly #table: WebAssembly.Table;
  readonly #imports: WebAssembly.ModuleImports;
  readonly #memoryPages: number;
  #nextSlot = 0;

  constructor(
    core: Core,
    table: WebAssembly.Table,
    imports: WebAssembly.ModuleImports,
    memoryPages: number,
    entries: number,
  ) {
    this.#core = core;
    this.#table = table;
    this.#imports = imports;
    this.#memoryPages = memoryPages;
    this.entries = entries;
  }

  /** No slot is left: the caller drops all code, then calls `clear`. */
  get isFull(): boolean {
    return this.#nextSlot === REGION_SLOTS;
  }

  clear(): void {
    this.#nextSlot = 0;
  }

  /**
   * Compiles the block at a physical address and has its head record enter what came out. Where it is
   * not worth it the head record goes on counting, to no effect.
   */
  compile(record: number, physical: number): void {
    const { physical: memory, state } = this.#core;
    if (this.isFull) return;
    const region = findRegion(memory.ram, physical);
    if (region === null) return;
    const size = region.blocks.reduce((sum, block) => sum + block.instructions.length, 0);
    if (size < WORTHWHILE) return;
    const module = new WebAssembly.Module(compileRegion(region, this.#memoryPages));
    const { exports } = new WebAssembly.Instance(module, { env: this.#imports });
    const slot = HANDLER_SLOTS + this.#nextSlot;
    this.#nextSlot += 1;
    this.#table.set(slot, exports['region']);
    for (const block of region.blocks) {
      memory.markCode(region.page + block.offset, block.next - block.offset);
    }
    state.i32[(record + RECORD_HANDLER) >> 2] = slot;
  }
}
