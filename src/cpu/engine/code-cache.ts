/**
 * Decoded code: blocks of records by physical address, found again through the jump cache by linear
 * address. A block lies within one page of RAM; an instruction that crosses into the next page is a block
 * by itself. One that lies outside RAM, or near its segment's limit, is decoded anew each time that it is
 * executed.
 *
 * All of this is cache: dropping it at any boundary changes nothing that the guest can see.
 */
import type { Core } from '../core.js';
import { type CodeBytes, type Decoded, decode, MAX_INSTRUCTION_BYTES } from '../decoder/decode.js';
import { raise, VECTOR_GP } from '../fault.js';
import { formOf } from '../isa/form.js';
import { opcodeMapOf } from '../isa/instruction-set.js';
import type { OpcodeMap } from '../isa/opcode-map.js';
import { codeLinear } from '../segmentation.js';
import * as L from '../state-layout.js';
import { BreakpointSet } from './breakpoint-set.js';
import { CodeIndex } from './code-index.js';
import type { Handlers } from './handlers.js';
import type { HotCode } from './hot-code.js';
import { JumpCache } from './jump-cache.js';
import { writeEnd, writeRecord } from './record.js';

/** Instructions in a block at the most. */
const MAX_BLOCK = 64;

/** What a block depends on beside its bytes. */
const BLOCK_MODE = L.MODE_CODE32 | L.MODE_STACK32 | L.MODE_FLAT;
/** Above the highest value of BLOCK_MODE. */
const MODES = 32;

/** With so much of the code segment ahead, no instruction of a page can cross its limit. */
const LIMIT_MARGIN = 0x2000;

export class CodeCache {
  readonly #breakpoints = new BreakpointSet();
  readonly #core: Core;
  readonly #map: OpcodeMap;
  readonly #handlers: Handlers;
  readonly #hotCode: HotCode | null;
  /** Physical address of the block behind a head record. */
  readonly #heads = new Map<number, number>();
  /** By the bits of BLOCK_MODE. */
  readonly #indices = Array.from({ length: MODES }, () => new CodeIndex());
  /** The instruction of a record, by record number; only where it is a procedure. */
  readonly #procedures: (Decoded | undefined)[] = [];
  readonly #jumpCache: JumpCache;
  #scratch: Decoded | undefined;
  #nextRecord = L.RECORDS;
  readonly #fetched = new Uint8Array(MAX_INSTRUCTION_BYTES + 1);

  /** @param hotCode null where nothing is to be compiled. */
  constructor(core: Core, handlers: Handlers, hotCode: HotCode | null) {
    this.#core = core;
    this.#jumpCache = new JumpCache(core.state);
    this.#map = opcodeMapOf(core.model.level);
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
    if (record === L.SCRATCH_RECORD) return this.#scratch;
    const index = (record - L.RECORDS) / L.RECORD_BYTES;
    const procedure = this.#procedures[index];
    return procedure ?? (this.#heads.has(record) ? this.#procedures[index + 1] : undefined);
  }

  /** Compiles the block of a head record that has become hot. */
  compile(record: number): void {
    const physical = this.#heads.get(record);
    if (physical !== undefined) this.#hotCode?.compile(physical, this.#breakpoints.cuts);
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
    this.#procedures.length = 0;
    this.#heads.clear();
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
    const index = this.#indices[mode & BLOCK_MODE];
    const known = index.singles.get(start | 0);
    if (known !== undefined) return known;
    const end = (start | 0xfff) + 1;
    const decoded = decode({ bytes: this.#core.physical.ram, start, end }, true, this.#map);
    if (decoded === null) throw new Error('compiled code leaves its page');
    if (this.#nextRecord + 2 * L.RECORD_BYTES > L.RECORDS_END) this.clear();
    const record = this.#writeAlone(decoded, mode);
    this.#core.physical.markCode(start, decoded.instruction.length);
    index.singles.set(start | 0, record);
    index.note(start >>> 12, start | 0);
    return record;
  }

  /** A block of one instruction; the caller has seen to it that there is room for two records. */
  #writeAlone(decoded: Decoded, mode: number): number {
    const record = this.#nextRecord;
    this.#emit(record, decoded, mode);
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
    const bytes = this.#core.physical.ram;
    const end = (start | 0xfff) + 1;
    let at = start;
    let count = 0;
    for (; count < MAX_BLOCK && at < end; count++) {
      if (count > 0 && cuts.has(at & 0xfff)) break;
      const decoded = this.#decodeWithin({ bytes, start: at, end }, mode, count === 0);
      if (decoded === null) break;
      this.#emit(this.#nextRecord, decoded, mode);
      this.#nextRecord += L.RECORD_BYTES;
      at += decoded.instruction.length;
      if (decoded.encoding.endsBlock) break;
    }
    if (at === start) {
      this.#nextRecord = first;
      return this.#decodeCrossing(start, linear, mode);
    }
    if (isCompiled) {
      this.#hotCode.writeHead(first, start, count);
      this.#heads.set(first, start);
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
    const code = { bytes, start: 0, end: MAX_INSTRUCTION_BYTES };
    const decoded = decode(code, (mode & L.MODE_CODE32) !== 0, this.#map);
    if (decoded === null) return 0;
    const record = this.#writeAlone(decoded, mode);
    physical.markCode(start, inFirst);
    physical.markCode(second, decoded.instruction.length - inFirst);
    const index = this.#indices[mode & BLOCK_MODE];
    index.crossings.set(start | 0, { record, second });
    index.note(start >>> 12, start | 0);
    index.note(second >>> 12, start | 0);
    return record;
  }

  /**
   * Null where the instruction leaves the page. Only the first instruction of a block is certain to be
   * executed: one further on that might be too long, or end in the next page, is left to be met alone.
   */
  #decodeWithin(code: CodeBytes, mode: number, isFirst: boolean): Decoded | null {
    const room = code.end - code.start;
    if (!isFirst && (room < MAX_INSTRUCTION_BYTES || isPrefixRun(code))) return null;
    return decode(code, (mode & L.MODE_CODE32) !== 0, this.#map);
  }

  /** Decodes the one instruction at EIP into the scratch record, fetching byte by byte. */
  #decodeAlone(eip: number, limit: number, mode: number): number {
    const { state } = this.#core;
    let end = 0;
    let decoded: Decoded | null = null;
    while (decoded === null) {
      this.#fetched[end] = this.#fetchByte(eip, end, limit, mode);
      end += 1;
      decoded = decode(
        { bytes: this.#fetched, start: 0, end },
        (mode & L.MODE_CODE32) !== 0,
        this.#map,
      );
    }
    this.#emit(L.SCRATCH_RECORD, decoded, mode);
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

  #emit(record: number, decoded: Decoded, mode: number): void {
    const { encoding, instruction } = decoded;
    const form = formOf(encoding, instruction, (mode & L.MODE_STACK32) !== 0);
    writeRecord(this.#core.state, record, this.#handlers.indexOf(form), form, instruction);
    const kept = encoding.procedure === null ? undefined : decoded;
    if (record === L.SCRATCH_RECORD) this.#scratch = kept;
    else this.#procedures[(record - L.RECORDS) / L.RECORD_BYTES] = kept;
  }

  #dropPage(page: number): void {
    for (const index of this.#indices) index.dropPage(page);
    this.#hotCode?.dropPage(page);
    this.#core.physical.clearCode(page);
    this.forgetAddresses();
  }
}

/** So many prefixes that the instruction may be too long. */
function isPrefixRun(code: CodeBytes): boolean {
  const HARMLESS = 4;
  for (let i = 0; i < HARMLESS; i++) {
    if (!PREFIXES.has(code.bytes[code.start + i])) return false;
  }
  return true;
}

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
