/**
 * Decoded code: blocks of records by physical address, found again through the jump cache by linear
 * address. A block lies within one page of RAM; an instruction that crosses into the next page is a block
 * by itself. One that lies outside RAM, or near its segment's limit, is decoded anew each time that it is
 * executed.
 *
 * All of this is cache: dropping it at any boundary changes nothing that the guest can see.
 */
import type { Core } from '../core.js';
import { type Decoded, Decoder, MAX_INSTRUCTION_BYTES } from '../decoder/decode.js';
import { raise, VECTOR_GP } from '../fault.js';
import { formOf } from '../isa/form.js';
import { opcodeMapOf } from '../isa/instruction-set.js';
import { codeLinear } from '../segmentation.js';
import * as L from '../state-layout.js';
import { BreakpointSet } from './breakpoint-set.js';
import { CodeIndex } from './code-index.js';
import type { Handlers } from './handlers.js';
import type { HotCode } from './hot-code.js';
import { JumpCache } from './jump-cache.js';
import {
  PROCEDURE_BEHIND,
  RECORD_PHYSICAL,
  RECORD_PROCEDURE,
  writeEnd,
  writeRecord,
} from './record.js';

/** Instructions in a block at the most. */
const MAX_BLOCK = 64;

/** What a block depends on beside its bytes. */
const BLOCK_MODE = L.MODE_CODE32 | L.MODE_STACK32 | L.MODE_FLAT;
/** Above the highest value of BLOCK_MODE. */
const MODES = 32;

/** The scratch record's place among the instructions that procedures are given. */
const PROCEDURE_SCRATCH = 1;

/** With so much of the code segment ahead, no instruction of a page can cross its limit. */
const LIMIT_MARGIN = 0x2000;

export class CodeCache {
  readonly #breakpoints = new BreakpointSet();
  readonly #core: Core;
  readonly #handlers: Handlers;
  readonly #hotCode: HotCode | null;
  /** By the bits of BLOCK_MODE. */
  readonly #indices = Array.from({ length: MODES }, () => new CodeIndex());
  /** Instructions that procedures are given, by number. Number 0 is none's, 1 the scratch record's. */
  readonly #procedures: (Decoded | undefined)[] = [undefined, undefined];
  readonly #decoder: Decoder;
  readonly #jumpCache: JumpCache;
  #nextRecord = L.RECORDS;
  readonly #fetched = new Uint8Array(MAX_INSTRUCTION_BYTES + 1);

  /** @param hotCode null where nothing is to be compiled. */
  constructor(core: Core, handlers: Handlers, hotCode: HotCode | null) {
    this.#core = core;
    this.#jumpCache = new JumpCache(core.state);
    this.#decoder = new Decoder(opcodeMapOf(core.model.level));
    this.#handlers = handlers;
    this.#hotCode = hotCode;
    core.physical.onCodeWrite = (page) => this.#dropPage(page);
    core.mmu.onFlush = () => this.#forgetTranslations();
    core.onCodeMapChange = () => this.forgetAddresses();
  }

  /** Linear addresses, unsigned, that no run goes across. */
  get breakpoints(): ReadonlySet<number> {
    return this.#breakpoints.addresses;
  }
  /** A debugger sets the same ones again and again, which costs nothing. */
  set breakpoints(breakpoints: ReadonlySet<number>) {
    const voided = this.#breakpoints.replace(breakpoints);
    if (voided === 'code') this.clear();
    else if (voided === 'addresses') this.forgetAddresses();
  }

  /** The instruction of a record that stands for a procedure; of a head record, that behind it. */
  procedureAt(record: number): Decoded | undefined {
    const { state } = this.#core;
    const number = state.get(record + RECORD_PROCEDURE);
    const behind = record + L.RECORD_BYTES;
    return this.#procedures[
      number === PROCEDURE_BEHIND ? state.get(behind + RECORD_PROCEDURE) : number
    ];
  }

  /** The instruction that a region knows by a number. */
  procedureOf(number: number): Decoded | undefined {
    return this.#procedures[number];
  }

  /** Compiles the block of a head record that has become hot. */
  compile(record: number): void {
    const physical = this.#core.state.get(record + RECORD_PHYSICAL) >>> 0;
    const numberOf = (decoded: Decoded) => this.#procedures.push(decoded) - 1;
    this.#hotCode?.compile(physical, this.#breakpoints.cuts, numberOf);
  }

  /** Voids the jump cache: linear addresses may mean other code from now on. */
  forgetAddresses(): void {
    this.#jumpCache.clear();
    this.#core.attention();
  }

  /** Code goes on where its new translation leads. */
  #forgetTranslations(): void {
    this.#jumpCache.forgetCrossings();
    this.#core.attention();
  }

  /** Drops every decoded instruction. */
  clear(): void {
    for (const index of this.#indices) {
      for (const page of index.pages) this.#core.physical.clearCode(page);
      index.clear();
    }
    this.#procedures.length = PROCEDURE_SCRATCH + 1;
    this.#hotCode?.clear();
    this.#nextRecord = L.RECORDS;
    this.forgetAddresses();
  }

  /**
   * The record for the instruction at EIP, decoded now if need be.
   * @throws fault what fetching or decoding it raises.
   */
  recordAtEip(): number {
    const { state, mmu, physical } = this.#core;
    const eip = state.eip;
    const linear = codeLinear(this.#core, eip);
    const mode = state.get(L.MODE);
    const fetchedAt = mmu.translateFetch(linear, (mode & L.MODE_USER) !== 0) >>> 0;
    const known = this.#jumpCache.recordAt(linear, fetchedAt);
    if (known !== 0) return known;
    const limit = state.segmentLimit(L.SEG_CS) >>> 0;
    const isCacheable =
      physical.isReadableRam(fetchedAt >>> 12) && (eip >>> 0) + LIMIT_MARGIN <= limit;
    const record = isCacheable
      ? this.#crossingAt(fetchedAt, linear, mode) || this.#blockAt(fetchedAt, linear, mode)
      : 0;
    if (record === 0) return this.#decodeAlone(eip, limit, mode);
    // Where the jump cache does not know, the run loop ends.
    if (!this.breakpoints.has(linear >>> 0)) {
      this.#jumpCache.enter(linear, fetchedAt, record);
    }
    return record;
  }

  /**
   * The record of the instruction at EIP alone, for compiled code that gives it back: it lies in RAM and
   * in one page, and its page is known to hold code.
   */
  singleAtEip(): number {
    const { state, mmu } = this.#core;
    const mode = state.get(L.MODE);
    const linear = codeLinear(this.#core, state.eip);
    const start = mmu.translateFetch(linear, (mode & L.MODE_USER) !== 0) >>> 0;
    if (this.#hotCode?.isToSplit(start >>> 12)) this.#dropPage(start >>> 12);
    const index = this.#indices[mode & BLOCK_MODE];
    const known = index.singles.get(start | 0);
    if (known !== undefined) return known;
    const end = (start | 0xfff) + 1;
    if (!this.#decoder.decode(this.#core.physical.ram, start, end, true)) {
      throw new Error('compiled code leaves its page');
    }
    if (this.#nextRecord + 2 * L.RECORD_BYTES > L.RECORDS_END) this.clear();
    const record = this.#writeAlone(mode);
    this.#core.physical.markCode(start, this.#decoder.length);
    index.singles.set(start | 0, record);
    index.note(start >>> 12, start | 0);
    return record;
  }

  /** A block of the one instruction that was decoded last; the caller has seen to it that there is room for two records. */
  #writeAlone(mode: number): number {
    const record = this.#nextRecord;
    this.#emit(record, mode);
    writeEnd(this.#core.state, record + L.RECORD_BYTES);
    this.#nextRecord += 2 * L.RECORD_BYTES;
    this.#handlers.compile();
    return record;
  }

  /** The block's first record, or 0 where its first instruction reaches into a page without RAM. */
  #blockAt(start: number, linear: number, mode: number): number {
    const index = this.#indices[mode & BLOCK_MODE];
    const known = index.blocks.get(start | 0);
    if (known !== undefined) return known;
    const room = this.#nextRecord + (MAX_BLOCK + 2) * L.RECORD_BYTES <= L.RECORDS_END;
    if (!room || this.#hotCode?.isFull) this.clear();
    const first = this.#nextRecord;
    const isCompiled = this.#hotCode !== null && (mode & BLOCK_MODE) === BLOCK_MODE;
    const { cuts } = this.#breakpoints;
    if (isCompiled) this.#nextRecord += L.RECORD_BYTES;
    const decoder = this.#decoder;
    const end = (start | 0xfff) + 1;
    let at = start;
    let count = 0;
    for (; count < MAX_BLOCK && at < end; count++) {
      if (count > 0 && cuts.has(at & 0xfff)) break;
      if (!this.#decodeWithin(at, end, mode, count === 0)) break;
      this.#emit(this.#nextRecord, mode);
      this.#nextRecord += L.RECORD_BYTES;
      at += decoder.length;
      if (decoder.encoding.endsBlock) break;
    }
    if (at === start) {
      this.#nextRecord = first;
      return this.#decodeCrossing(start, linear, mode);
    }
    if (isCompiled) {
      this.#hotCode.writeHead(first, start, count);
    }
    writeEnd(this.#core.state, this.#nextRecord);
    this.#nextRecord += L.RECORD_BYTES;
    this.#handlers.compile();
    this.#core.physical.markCode(start, at - start);
    index.blocks.set(start | 0, first);
    index.note(start >>> 12, start | 0);
    return first;
  }

  /**
   * The record of a known instruction in two pages, or 0.
   * @throws fault what fetching from the second page raises.
   */
  #crossingAt(start: number, linear: number, mode: number): number {
    if ((start & 0xfff) + MAX_INSTRUCTION_BYTES <= 0x1000) return 0;
    const known = this.#indices[mode & BLOCK_MODE].crossings.get(start | 0);
    if (known === undefined) return 0;
    return this.#secondPage(linear, mode) === known.second ? known.record : 0;
  }

  /** Physical address of the page behind that of a linear address. @throws fault #PF. */
  #secondPage(linear: number, mode: number): number {
    const next = (linear | 0xfff) + 1;
    return this.#core.mmu.translateFetch(next, (mode & L.MODE_USER) !== 0) >>> 0;
  }

  /**
   * Decodes an instruction that does not end in the page that it begins in.
   * @returns its record, or 0 where the next page is not RAM.
   * @throws fault what fetching and decoding it raise.
   */
  #decodeCrossing(start: number, linear: number, mode: number): number {
    const { physical } = this.#core;
    const second = this.#secondPage(linear, mode);
    if (!physical.isReadableRam(second >>> 12)) return 0;
    const inFirst = 0x1000 - (start & 0xfff);
    const bytes = this.#fetched;
    bytes.set(physical.ram.subarray(start, start + inFirst));
    bytes.set(physical.ram.subarray(second, second + MAX_INSTRUCTION_BYTES - inFirst), inFirst);
    const is32 = (mode & L.MODE_CODE32) !== 0;
    if (!this.#decoder.decode(bytes, 0, MAX_INSTRUCTION_BYTES, is32)) return 0;
    const record = this.#writeAlone(mode);
    physical.markCode(start, inFirst);
    physical.markCode(second, this.#decoder.length - inFirst);
    const index = this.#indices[mode & BLOCK_MODE];
    index.crossings.set(start | 0, { record, second });
    index.note(start >>> 12, start | 0);
    index.note(second >>> 12, start | 0);
    return record;
  }

  /**
   * False where the instruction leaves the page. Only the first instruction of a block is certain to be
   * executed: one further on that might be too long, or end in the next page, is left to be met alone.
   */
  #decodeWithin(at: number, end: number, mode: number, isFirst: boolean): boolean {
    const { ram } = this.#core.physical;
    if (!isFirst && (end - at < MAX_INSTRUCTION_BYTES || isPrefixRun(ram, at))) return false;
    return this.#decoder.decode(ram, at, end, (mode & L.MODE_CODE32) !== 0);
  }

  /** Decodes the one instruction at EIP into the scratch record, fetching byte by byte. */
  #decodeAlone(eip: number, limit: number, mode: number): number {
    const { state } = this.#core;
    const is32 = (mode & L.MODE_CODE32) !== 0;
    let end = 0;
    do {
      this.#fetched[end] = this.#fetchByte(eip, end, limit, mode);
      end += 1;
    } while (!this.#decoder.decode(this.#fetched, 0, end, is32));
    this.#emit(L.SCRATCH_RECORD, mode);
    writeEnd(state, L.SCRATCH_RECORD + L.RECORD_BYTES);
    this.#handlers.compile();
    return L.SCRATCH_RECORD;
  }

  #fetchByte(eip: number, index: number, limit: number, mode: number): number {
    const { mmu, physical } = this.#core;
    if ((eip >>> 0) + index > limit) raise(VECTOR_GP);
    const linear = codeLinear(this.#core, eip + index);
    return physical.read(mmu.translateFetch(linear, (mode & L.MODE_USER) !== 0), 1);
  }

  /** Writes the record of the instruction that was decoded last. */
  #emit(record: number, mode: number): void {
    const decoder = this.#decoder;
    const { encoding } = decoder;
    const form = formOf(encoding, decoder, (mode & L.MODE_STACK32) !== 0);
    let procedure = 0;
    if (encoding.procedure !== null) {
      procedure = record === L.SCRATCH_RECORD ? PROCEDURE_SCRATCH : this.#procedures.length;
      this.#procedures[procedure] = decoder.taken();
    }
    const handler = this.#handlers.indexOf(form);
    writeRecord(this.#core.state, record, handler, form, decoder, procedure);
  }

  #dropPage(page: number): void {
    for (const index of this.#indices) index.dropPage(page);
    this.#hotCode?.dropPage(page);
    this.#core.physical.clearCode(page);
    this.forgetAddresses();
  }
}

/** So many prefixes that the instruction may be too long. */
function isPrefixRun(bytes: Uint8Array, at: number): boolean {
  const HARMLESS = 4;
  for (let i = 0; i < HARMLESS; i++) {
    if (IS_PREFIX[bytes[at + i]] === 0) return false;
  }
  return true;
}

const IS_PREFIX = new Uint8Array(256);
for (const prefix of [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]) {
  IS_PREFIX[prefix] = 1;
}
