/**
 * From linear addresses to bytes: the TLB, the page walk behind it, and accesses that may cross pages.
 *
 * The TLB is a pure cache. It never holds a translation that a new walk would not give: whatever a walk
 * depends on (CR0, CR3, CR4, the tables in RAM) flushes it when it changes. So dropping it at any
 * instant, as checkpoints and debuggers do, changes nothing that the guest can see; and INVLPG, or a load
 * of CR3 with the value that it has, need drop nothing.
 *
 * Deviation: on hardware a translation may outlive a change of the tables until INVLPG or a load of
 * CR3, and global pages (PTE bit 8, CR4.PGE) outlive the latter. Here changes show at once, and the
 * global bit has no effect: a guest that relied on stale entries would not be deterministic on
 * hardware either.
 */
import type { AccessSize } from './bus.js';
import { CR0_PG } from './control-registers.js';
import { raise, VECTOR_AC } from './fault.js';
import { PageWalker } from './paging.js';
import type { PhysicalMemory } from './physical-memory.js';
import type { State } from './state.js';
import {
  RAM_BASE,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TLB_NONE,
  TLB_READ_TAG,
  TLB_SUPERVISOR,
  TLB_USER,
  TLB_WRITE_TAG,
} from './state-layout.js';

export type AccessKind = 'read' | 'write';

/** Whom data accesses to certain linear pages are reported to: watchpoints and debug registers. */
export interface AccessWatch {
  /** Linear page numbers (linear address >>> 12). */
  readonly pages: ReadonlySet<number>;
  /**
   * A data access of the processor touches a watched page, and is known not to fault. Called before
   * the bytes of a write change. It must not throw, nor touch guest state.
   * @param linear signed, of the first byte.
   */
  hit(linear: number, size: number, kind: AccessKind): void;
}

const INDEX_MASK = TLB_ENTRIES - 1;
const PAGE_MASK = ~0xfff;
// Word offsets inside an entry.
const ENTRY_WORDS = TLB_ENTRY_BYTES >> 2;
const READ_TAG = TLB_READ_TAG >> 2;
const WRITE_TAG = TLB_WRITE_TAG >> 2;
const ADDEND = TLB_ADDEND >> 2;
/** Linear page of RAM that may be written, if by way of PhysicalMemory. Compiled code ignores it. */
const CHECKED_WRITE_TAG = 3;
const SUPERVISOR_WORDS = TLB_SUPERVISOR >> 2;
const USER_WORDS = TLB_USER >> 2;

/** Linear memory as the processor sees it. `user` says that an access is made at CPL 3. */
export class Mmu {
  /** Called when cached translations are dropped: what others derived from them must go too. */
  onFlush: () => void = () => undefined;

  readonly #state: State;
  readonly #physical: PhysicalMemory;
  readonly #walker: PageWalker;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Word offsets of the entries that are in use. */
  readonly #filled = new Int32Array(2 * TLB_ENTRIES);
  #filledCount = 0;
  #watch: AccessWatch | null = null;
  #checksAlignment = false;

  /** Empties the TLB, and makes itself the listener of the memory's table writes and flag changes. */
  constructor(state: State, physical: PhysicalMemory) {
    this.#state = state;
    this.#physical = physical;
    this.#walker = new PageWalker(state, physical);
    this.#words = state.i32;
    this.#bytes = state.u8;
    this.#view = new DataView(state.u8.buffer);
    for (let index = 0; index < TLB_ENTRIES; index++) {
      this.#clearEntry(SUPERVISOR_WORDS + index * ENTRY_WORDS);
      this.#clearEntry(USER_WORDS + index * ENTRY_WORDS);
    }
    physical.onTableWrite = (address, size) => {
      if (!this.#walker.isUpdating && this.#walker.mayHaveUsed(address, size)) this.flush();
    };
    physical.onFlagsSet = (page) => this.#flushWrites(page);
  }

  get watch(): AccessWatch | null {
    return this.#watch;
  }
  /** Setting it flushes. Who changes `pages` of a watch sets it again. */
  set watch(watch: AccessWatch | null) {
    this.#watch = watch;
    this.flush();
  }

  /** CR0.AM and EFLAGS.AC are both set: a misaligned access at CPL 3 is #AC. */
  get checksAlignment(): boolean {
    return this.#checksAlignment;
  }
  /** A change flushes. While it is set the user TLB stays empty, so that each access is looked at. */
  set checksAlignment(checks: boolean) {
    if (checks === this.#checksAlignment) return;
    this.#checksAlignment = checks;
    this.flush();
  }

  /**
   * Reads 1, 2 or 4 bytes, which may lie in two pages. 4 bytes come signed.
   * @throws fault #PF, or #AC where alignment is checked.
   */
  read(linear: number, size: AccessSize, user: boolean): number {
    const entry =
      (user ? USER_WORDS : SUPERVISOR_WORDS) + ((linear >>> 12) & INDEX_MASK) * ENTRY_WORDS;
    if (((linear + size - 1) & PAGE_MASK) === this.#words[entry + READ_TAG]) {
      const at = (linear + this.#words[entry + ADDEND]) >>> 0;
      if (size === 4) return this.#view.getInt32(at, true);
      return size === 2 ? this.#view.getUint16(at, true) : this.#bytes[at];
    }
    return this.#readSlowly(linear, size, user);
  }

  /**
   * Writes 1, 2 or 4 bytes. When they lie in two pages, both are checked before any byte changes.
   * @throws fault #PF, or #AC where alignment is checked.
   */
  write(linear: number, size: AccessSize, value: number, user: boolean): void {
    const entry =
      (user ? USER_WORDS : SUPERVISOR_WORDS) + ((linear >>> 12) & INDEX_MASK) * ENTRY_WORDS;
    const lastPage = (linear + size - 1) & PAGE_MASK;
    if (lastPage === this.#words[entry + WRITE_TAG]) {
      const at = (linear + this.#words[entry + ADDEND]) >>> 0;
      if (size === 4) this.#view.setInt32(at, value, true);
      else if (size === 2) this.#view.setUint16(at, value, true);
      else this.#bytes[at] = value;
    } else if (lastPage === this.#words[entry + CHECKED_WRITE_TAG]) {
      const physical = linear + this.#words[entry + ADDEND] - RAM_BASE;
      this.#physical.write(physical, size, value);
      // The write may have been what the page's flags waited for, or have flushed the entry.
      if (
        this.#words[entry + CHECKED_WRITE_TAG] === lastPage &&
        this.#physical.isPlainlyWritable((physical >>> 0) >>> 12)
      ) {
        this.#words[entry + WRITE_TAG] = lastPage;
      }
    } else {
      this.#writeSlowly(linear, size, value, user);
    }
  }

  /**
   * Throws what `write` would throw, and sets the accessed and dirty bits that it would set.
   * @throws fault #PF, or #AC where alignment is checked.
   */
  probeWrite(linear: number, size: AccessSize, user: boolean): void {
    const entry =
      (user ? USER_WORDS : SUPERVISOR_WORDS) + ((linear >>> 12) & INDEX_MASK) * ENTRY_WORDS;
    const lastPage = (linear + size - 1) & PAGE_MASK;
    if (
      lastPage === this.#words[entry + WRITE_TAG] ||
      lastPage === this.#words[entry + CHECKED_WRITE_TAG]
    ) {
      return;
    }
    this.#checkAlignment(linear, size, user);
    this.#checkBothPages(linear, size, true, user);
    this.#translate(linear, true, user);
    if (crossesPage(linear, size)) this.#translate(lastPage, true, user);
  }

  /**
   * The physical address of an instruction byte, unsigned. There is no execute permission of its own,
   * so an error code never has bit 4 set.
   * @throws fault #PF.
   */
  translateFetch(linear: number, user: boolean): number {
    const entry =
      (user ? USER_WORDS : SUPERVISOR_WORDS) + ((linear >>> 12) & INDEX_MASK) * ENTRY_WORDS;
    if ((linear & PAGE_MASK) === this.#words[entry + READ_TAG]) {
      return (linear + this.#words[entry + ADDEND] - RAM_BASE) >>> 0;
    }
    return this.#translate(linear, false, user) >>> 0;
  }

  /**
   * Where in the one memory a linear address is, if plain loads (or stores) may be made to its page; -1
   * where not, or where the TLB doesn't know. Changes nothing.
   */
  plainHost(linear: number, isWrite: boolean, user: boolean): number {
    const entry =
      (user ? USER_WORDS : SUPERVISOR_WORDS) + ((linear >>> 12) & INDEX_MASK) * ENTRY_WORDS;
    const tag = this.#words[entry + (isWrite ? WRITE_TAG : READ_TAG)];
    return (linear & PAGE_MASK) === tag ? (linear + this.#words[entry + ADDEND]) >>> 0 : -1;
  }

  /**
   * The physical address for a debugger: as supervisor, with no regard to R/W. Changes nothing.
   * @returns a non-negative number, or -1 where nothing is mapped.
   */
  peek(linear: number): number {
    return this.#state.cr0 & CR0_PG ? this.#walker.peek(linear) : linear >>> 0;
  }

  /**
   * Drops all cached translations and calls `onFlush`. To be called after CR0.PG, CR0.WP, CR3, CR4.PSE,
   * CR4.PAE, a page-directory pointer or a page's PAGE_MMIO flag has changed, and when state was restored from elsewhere.
   */
  flush(): void {
    for (let i = 0; i < this.#filledCount; i++) this.#clearEntry(this.#filled[i]);
    this.#filledCount = 0;
    this.#walker.forgetTables();
    this.onFlush();
  }

  /** Drops the permission of plain stores alone: to a page of RAM by all its linear addresses, or to all. */
  #flushWrites(page: number | null): void {
    for (let i = 0; i < this.#filledCount; i++) {
      const entry = this.#filled[i];
      const physical = (this.#words[entry + READ_TAG] + this.#words[entry + ADDEND] - RAM_BASE) | 0;
      if (page === null || physical >>> 12 === page) this.#words[entry + WRITE_TAG] = TLB_NONE;
    }
  }

  #clearEntry(entry: number): void {
    this.#words[entry + READ_TAG] = TLB_NONE;
    this.#words[entry + WRITE_TAG] = TLB_NONE;
    this.#words[entry + CHECKED_WRITE_TAG] = TLB_NONE;
  }

  #readSlowly(linear: number, size: AccessSize, user: boolean): number {
    this.#checkAlignment(linear, size, user);
    this.#checkBothPages(linear, size, false, user);
    const first = this.#translate(linear, false, user);
    if (!crossesPage(linear, size)) {
      this.#report(linear, size, 'read');
      return this.#physical.read(first, size);
    }
    const second = this.#translate((linear + size - 1) & PAGE_MASK, false, user);
    this.#report(linear, size, 'read');
    const inFirst = 0x1000 - (linear & 0xfff);
    let value = 0;
    for (let i = 0; i < size; i++) {
      const at = i < inFirst ? first + i : second + i - inFirst;
      value |= this.#physical.read(at, 1) << (i << 3);
    }
    return value;
  }

  #writeSlowly(linear: number, size: AccessSize, value: number, user: boolean): void {
    this.#checkAlignment(linear, size, user);
    this.#checkBothPages(linear, size, true, user);
    const first = this.#translate(linear, true, user);
    if (!crossesPage(linear, size)) {
      this.#report(linear, size, 'write');
      this.#physical.write(first, size, value);
      return;
    }
    const second = this.#translate((linear + size - 1) & PAGE_MASK, true, user);
    this.#report(linear, size, 'write');
    const inFirst = 0x1000 - (linear & 0xfff);
    for (let i = 0; i < size; i++) {
      const at = i < inFirst ? first + i : second + i - inFirst;
      this.#physical.write(at, 1, (value >>> (i << 3)) & 0xff);
    }
  }

  #checkAlignment(linear: number, size: AccessSize, user: boolean): void {
    if (this.#checksAlignment && user && linear & (size - 1)) raise(VECTOR_AC);
  }

  /** So that the accessed bits of a first page stay as they are when the second faults. */
  #checkBothPages(linear: number, size: AccessSize, isWrite: boolean, user: boolean): void {
    if (!crossesPage(linear, size) || (this.#state.cr0 & CR0_PG) === 0) return;
    this.#walker.walk(linear, isWrite, user, false);
    this.#walker.walk((linear + size - 1) & PAGE_MASK, isWrite, user, false);
  }

  /** Walks, fills the TLB where it may, and returns the physical address, signed. */
  #translate(linear: number, isWrite: boolean, user: boolean): number {
    let page = linear & PAGE_MASK;
    let isWritable = true;
    let isCacheable = true;
    if (this.#state.cr0 & CR0_PG) {
      this.#walker.walk(linear, isWrite, user, true);
      page = this.#walker.page;
      isWritable = this.#walker.isWritable;
      isCacheable = this.#walker.isCacheable;
    }
    if (isCacheable) this.#fill(linear, page, isWritable, user);
    return page | (linear & 0xfff);
  }

  #fill(linear: number, page: number, isWritable: boolean, user: boolean): void {
    if (user && this.#checksAlignment) return;
    if (!this.#physical.isReadableRam(page >>> 12)) return;
    if (this.#watch?.pages.has(linear >>> 12)) return;
    const entry =
      (user ? USER_WORDS : SUPERVISOR_WORDS) + ((linear >>> 12) & INDEX_MASK) * ENTRY_WORDS;
    if (this.#words[entry + READ_TAG] === TLB_NONE) {
      this.#filled[this.#filledCount] = entry;
      this.#filledCount += 1;
    }
    const tag = linear & PAGE_MASK;
    const isPlain = isWritable && this.#physical.isPlainlyWritable(page >>> 12);
    this.#words[entry + READ_TAG] = tag;
    this.#words[entry + WRITE_TAG] = isPlain ? tag : TLB_NONE;
    this.#words[entry + CHECKED_WRITE_TAG] = isWritable ? tag : TLB_NONE;
    this.#words[entry + ADDEND] = (RAM_BASE + page - tag) | 0;
  }

  #report(linear: number, size: number, kind: AccessKind): void {
    const watch = this.#watch;
    if (watch === null) return;
    if (
      watch.pages.has(linear >>> 12) ||
      (crossesPage(linear, size) && watch.pages.has((linear + size - 1) >>> 12))
    ) {
      watch.hit(linear | 0, size, kind);
    }
  }
}

function crossesPage(linear: number, size: number): boolean {
  return (((linear + size - 1) ^ linear) & PAGE_MASK) !== 0;
}
