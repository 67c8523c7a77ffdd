/**
 * Blocks that are entered often, compiled: which, and where their functions are in the table.
 */
import type { Core } from '../core.js';
import { opcodeMapOf } from '../isa/instruction-set.js';
import { compileRegion } from '../jit/compile-region.js';
import { findRegion } from '../jit/region.js';
import type { NumberProcedure } from '../jit/region-ops.js';
import { ACCESS_SPLIT } from '../state-layout.js';
import type { FunctionTable } from './function-table.js';
import {
  type CompiledBlock,
  HANDLER_COUNT,
  RECORD_COUNTER,
  RECORD_ENTRIES,
  RECORD_HANDLER,
  writeCompiledHead,
  writeHead,
} from './record.js';

/**
 * Entries after which a block is compiled, with what it jumps to, unless told otherwise. A region costs
 * a millisecond to make, and TurboFan much more, if beside. Of a Linux boot 3,000 and 5,000 take as long, and a
 * tenth more processor time.
 */
export const HOT_ENTRIES = 8000;
/** Compiled regions at the most: when they are used up, all decoded and compiled code is dropped. */
export const REGIONS_MOST = 4096;
/** The part of the entries that may be left for a block to be compiled along with a hot one. */
const WARM = 0.75;
/** How far apart blocks may be, in bytes, to be compiled together though no direct jump leads there. */
const NEAR = 512;
/** What a head record can count. */
const MAX_ENTRIES = 0x7fffffff;
/** Doublings of the entries that a page's blocks take to be hot, at the most. */
const MAX_DOUBLINGS = 16;
/** Blocks of more instructions than this are hot after fewer entries, as interpreting one takes longer. */
const USUAL_BLOCK = 8;
/** How often a page's instructions may be given back for others' sake until each is looked up alone. */
const SPLITS_MOST = 1000;
/** A region of fewer instructions costs more to enter than it saves. */
const WORTHWHILE = 3;

/** Blocks of one page, by the offset in it. */
interface HotPage {
  /** Their head records. */
  readonly heads: Map<number, number>;
  readonly compiled: Map<number, CompiledBlock>;
}

export class HotCode {
  /** Entries after which a block is compiled, where its page keeps still. */
  readonly entries: number;

  readonly #core: Core;
  readonly #functions: FunctionTable;
  readonly #imports: WebAssembly.ModuleImports;
  readonly #memoryPages: number;
  /** Entries of the table that are regions. */
  readonly #regions: number[] = [];
  /** By page. */
  readonly #pages = new Map<number, HotPage>();
  /**
   * How often compiled code of a page was dropped since it was written to. Each time doubles what its
   * blocks take to be hot, so that code which changes all the time costs no more than interpreting it.
   */
  readonly #drops = new Map<number, number>();
  /** How often instructions of a page were given back for the sake of others, see ACCESS_SPLIT. */
  readonly #splits = new Map<number, number>();

  constructor(
    core: Core,
    functions: FunctionTable,
    imports: WebAssembly.ModuleImports,
    memoryPages: number,
    entries: number,
  ) {
    this.#core = core;
    this.#functions = functions;
    this.#imports = imports;
    this.#memoryPages = memoryPages;
    this.entries = entries;
  }

  /** No more regions are kept: the caller drops all code, then calls `clear`. */
  get isFull(): boolean {
    return this.#regions.length === REGIONS_MOST;
  }

  clear(): void {
    for (const index of this.#regions) this.#functions.release(index);
    this.#regions.length = 0;
    this.#pages.clear();
    this.#drops.clear();
    this.#splits.clear();
  }

  /**
   * Hears that compiled code gave an instruction of a page back.
   * @returns whether that happened so often that the page is to be compiled anew.
   */
  isToSplit(page: number): boolean {
    const { state } = this.#core;
    if (state.get(ACCESS_SPLIT) === 0) return false;
    state.set(ACCESS_SPLIT, 0);
    const splits = (this.#splits.get(page) ?? 0) + 1;
    this.#splits.set(page, splits);
    return splits === SPLITS_MOST;
  }

  /** Forgets what was compiled from a page, and the heads of its blocks. */
  dropPage(page: number): void {
    const hot = this.#pages.get(page);
    if (hot === undefined) return;
    this.#pages.delete(page);
    if (hot.compiled.size > 0) this.#drops.set(page, (this.#drops.get(page) ?? 0) + 1);
  }

  #pageAt(page: number): HotPage {
    let hot = this.#pages.get(page);
    if (hot === undefined) {
      hot = { heads: new Map(), compiled: new Map() };
      this.#pages.set(page, hot);
    }
    return hot;
  }

  /** Entries after which a block of a page is compiled. */
  #entriesOf(page: number): number {
    const doublings = Math.min(this.#drops.get(page) ?? 0, MAX_DOUBLINGS);
    return Math.min(this.entries * 2 ** doublings, MAX_ENTRIES);
  }

  /**
   * Writes the head record of the block at a physical address: it counts, or enters compiled code.
   * @param instructions of the block.
   */
  writeHead(record: number, physical: number, instructions: number): void {
    const { state } = this.#core;
    const entries = this.#entriesOf(physical >>> 12);
    const toGo = Math.ceil(entries * Math.min(1, USUAL_BLOCK / instructions));
    writeHead(state, record, toGo, physical);
    const hot = this.#pageAt(physical >>> 12);
    hot.heads.set(physical & 0xfff, record);
    const block = hot.compiled.get(physical & 0xfff);
    if (block !== undefined) writeCompiledHead(state, record, block);
  }

  /**
   * Compiles the block at a physical address with the blocks that it jumps to, and has their head
   * records enter what came out. Where it is not worth it the head goes on counting, to no effect.
   * @param cuts offsets in the page before which compiled code returns to the run loop.
   * @param numberOf gives a procedure's number, which is kept until `clear`.
   */
  compile(physical: number, cuts: ReadonlySet<number>, numberOf: NumberProcedure): void {
    const { physical: memory, state } = this.#core;
    if (this.isFull) return;
    const map = opcodeMapOf(this.#core.model.level);
    const { heads } = this.#pageAt(physical >>> 12);
    // What is compiled when it is first entered has no past to tell by.
    const wasEntered = (offset: number) => this.entries === 1 || heads.has(offset);
    const warm = this.#warmOffsets(physical);
    const region = findRegion(memory.ram, physical, warm, map, cuts, wasEntered);
    if (region === null) return;
    const size = region.blocks.reduce((sum, block) => sum + block.instructions.length, 0);
    if (size < WORTHWHILE) return;
    const isSplit = (this.#splits.get(physical >>> 12) ?? 0) >= SPLITS_MOST;
    const bytes = compileRegion(region, this.#memoryPages, { numberOf, isSplit });
    const module = new WebAssembly.Module(bytes);
    const { exports } = new WebAssembly.Instance(module, { env: this.#imports });
    const handler = this.#functions.reserve();
    this.#regions.push(handler);
    this.#functions.table.set(handler, exports['region']);
    const hot = this.#pageAt(physical >>> 12);
    region.blocks.forEach((block, index) => {
      const { offset, instructions } = block;
      memory.markCode(region.page + offset, block.next - offset);
      const compiled = { handler, index, instructions: instructions.length, offset };
      hot.compiled.set(offset, compiled);
      const head = hot.heads.get(offset);
      if (head !== undefined) writeCompiledHead(state, head, compiled);
    });
  }

  /** Offsets of other blocks near by in the page that are compiled, or on the way to it; the nearest first. */
  #warmOffsets(physical: number): number[] {
    const { state } = this.#core;
    const page = physical >>> 12;
    const entry = physical & 0xfff;
    const offsets: number[] = [];
    for (const [offset, head] of this.#pageAt(page).heads) {
      if (offset === entry || Math.abs(offset - entry) > NEAR) continue;
      const counts = state.get(head + RECORD_HANDLER) === HANDLER_COUNT;
      const warm = state.get(head + RECORD_ENTRIES) * WARM;
      const isWarm = !counts || state.get(head + RECORD_COUNTER) < warm;
      if (isWarm) offsets.push(offset);
    }
    return offsets.sort((a, b) => Math.abs(a - entry) - Math.abs(b - entry));
  }
}
