/**
 * The page walk: 32-bit paging with 4 KiB pages, and 4 MiB pages where CR4.PSE is set; PAE paging with
 * 4 KiB and 2 MiB pages where CR4.PAE is.
 *
 * A walk checks everything before it changes anything: accessed and dirty bits are set only when the
 * access is allowed. Pages from which entries were read get PAGE_TABLE, so that a later write to them
 * is heard of, and translations that were cached never outlive the tables that they came from. The
 * page-directory-pointer table alone is not read by walks: its entries are registers, loaded with CR3.
 *
 * Deviation: a P6 has 36 bits of physical address, we have 32, so bits 32 to 35 of PAE entries, which
 * could only name memory that isn't there, are reserved.
 *
 * Sources: Intel SDM vol. 3A §4.3, §4.4 and §4.6 to §4.8.
 */
import { CR0_WP, CR4_PAE, CR4_PSE } from './control-registers.js';
import { PF_PRESENT, PF_RESERVED, PF_USER, PF_WRITE, raisePageFault } from './fault.js';
import { PAGE_TABLE, type PhysicalMemory } from './physical-memory.js';
import type { State } from './state.js';
import { CR3, PDPTE0 } from './state-layout.js';

export const ENTRY_PRESENT = 1 << 0;
const ENTRY_WRITABLE = 1 << 1;
const ENTRY_USER = 1 << 2;
const ENTRY_ACCESSED = 1 << 5;
const ENTRY_DIRTY = 1 << 6;
/** In a page-directory entry: it maps 4 MiB, or 2 MiB. */
const ENTRY_LARGE = 1 << 7;
/**
 * Must be zero where CR4.PSE is set: bits 12 to 21 of an entry for 4 MiB and bit 7 of a page-table
 * entry, since we offer neither PSE-36 nor the PAT. The latter is so in PAE paging too.
 */
const LARGE_RESERVED = 0x003ff000;
const SMALL_RESERVED = 1 << 7;
/** In PAE paging: bits 12 to 20 of an entry for 2 MiB. */
const PAE_LARGE_RESERVED = 0x001ff000;

const PAGE_MASK = ~0xfff;
const FOUR_MIB_MASK = ~0x3fffff;
const TWO_MIB_MASK = ~0x1fffff;

/** Walks the guest's page tables. The results of a walk are fields, so that a walk allocates nothing. */
export class PageWalker {
  /** The physical address of the 4 KiB page that the last walk found, signed. */
  page = 0;
  /** The last walk's page may be written at its privilege, and is marked dirty already. */
  isWritable = false;
  /** The last walk read only entries in RAM: a write to them will be heard of. */
  isCacheable = false;
  /** The walker itself is writing an accessed or dirty bit. */
  isUpdating = false;

  readonly #state: State;
  readonly #physical: PhysicalMemory;
  readonly #tablePages: number[] = [];
  /** How many of `#tablePages` count: assigning to an array's length is slow, and flushes are many. */
  #tableCount = 0;
  // The entries that the walk under way has met: low halves, and where they lie. For a large page both
  // are the directory's.
  #directory = 0;
  #directoryAt = 0;
  #entry = 0;
  #entryAt = 0;

  constructor(state: State, physical: PhysicalMemory) {
    this.#state = state;
    this.#physical = physical;
  }

  /**
   * Translates with paging on, leaves the outcome in `page`, `isWritable` and `isCacheable`, and, with
   * `commits`, sets accessed and dirty bits and PAGE_TABLE.
   *
   * Deviation: hardware may set the accessed bit of an entry though the access faults further on;
   * here a fault changes nothing.
   * @throws fault #PF.
   */
  walk(linear: number, isWrite: boolean, isUser: boolean, commits: boolean): void {
    const access = (isWrite ? PF_WRITE : 0) | (isUser ? PF_USER : 0);
    const cause = this.#find(linear);
    if (cause !== FOUND) raisePageFault(linear, access | cause);
    const rights = this.#directory & this.#entry;
    const canWrite =
      (rights & ENTRY_WRITABLE) !== 0 || (!isUser && (this.#state.cr0 & CR0_WP) === 0);
    if ((isUser && (rights & ENTRY_USER) === 0) || (isWrite && !canWrite)) {
      raisePageFault(linear, access | PF_PRESENT);
    }
    if (!commits) return;
    if (this.#entryAt !== this.#directoryAt && (this.#directory & ENTRY_ACCESSED) === 0) {
      this.#update(this.#directoryAt, this.#directory | ENTRY_ACCESSED);
    }
    const marked = this.#entry | ENTRY_ACCESSED | (isWrite ? ENTRY_DIRTY : 0);
    if (marked !== this.#entry) this.#update(this.#entryAt, marked);
    this.isWritable = canWrite && (marked & ENTRY_DIRTY) !== 0;
    this.isCacheable = this.#noteTable(this.#directoryAt) && this.#noteTable(this.#entryAt);
  }

  /**
   * The physical address for a debugger: privilege and R/W don't matter, nothing changes.
   * @returns -1 where nothing is mapped.
   */
  peek(linear: number): number {
    return this.#find(linear) === FOUND ? (this.page | (linear & 0xfff)) >>> 0 : -1;
  }

  /**
   * A walk may have used an entry that lies, in part at least, in these bytes of a page of RAM: one of
   * them is present. What is absent is never cached, so it may become present unnoticed.
   */
  mayHaveUsed(physical: number, size: number): boolean {
    const bytes = this.#state.cr4 & CR4_PAE ? 8 : 4;
    for (let at = (physical & -bytes) >>> 0; at < physical + size; at += bytes) {
      if (this.#physical.read(at, 4) & ENTRY_PRESENT) return true;
    }
    return false;
  }

  /** Takes PAGE_TABLE off all pages again: no cached translation depends on them any more. */
  forgetTables(): void {
    for (let i = 0; i < this.#tableCount; i++) {
      this.#physical.clearFlag(this.#tablePages[i], PAGE_TABLE);
    }
    this.#tableCount = 0;
  }

  /** Finds the entries and the page, and returns FOUND, or the error code bits that say why not. */
  #find(linear: number): number {
    return this.#state.cr4 & CR4_PAE ? this.#findPae(linear) : this.#find32(linear);
  }

  #find32(linear: number): number {
    const physical = this.#physical;
    const hasLargePages = (this.#state.cr4 & CR4_PSE) !== 0;
    const directoryAt = (this.#state.get(CR3) & PAGE_MASK) | ((linear >>> 20) & 0xffc);
    const directory = physical.read(directoryAt, 4);
    this.#directoryAt = directoryAt;
    this.#directory = directory;
    if ((directory & ENTRY_PRESENT) === 0) return ABSENT;
    if (hasLargePages && directory & ENTRY_LARGE) {
      this.#takeLarge(linear, FOUR_MIB_MASK);
      return directory & LARGE_RESERVED ? RESERVED : FOUND;
    }
    const entryAt = (directory & PAGE_MASK) | ((linear >>> 10) & 0xffc);
    return this.#takeSmall(entryAt, hasLargePages ? SMALL_RESERVED : 0);
  }

  #findPae(linear: number): number {
    const physical = this.#physical;
    const pointer = this.#state.get(PDPTE0 + ((linear >>> 28) & 0xc));
    if ((pointer & ENTRY_PRESENT) === 0) return ABSENT;
    const directoryAt = (pointer & PAGE_MASK) | ((linear >>> 18) & 0xff8);
    const directory = physical.read(directoryAt, 4);
    this.#directoryAt = directoryAt;
    this.#directory = directory;
    if ((directory & ENTRY_PRESENT) === 0) return ABSENT;
    if (physical.read(directoryAt + 4, 4) !== 0) return RESERVED;
    if (directory & ENTRY_LARGE) {
      this.#takeLarge(linear, TWO_MIB_MASK);
      return directory & PAE_LARGE_RESERVED ? RESERVED : FOUND;
    }
    const entryAt = (directory & PAGE_MASK) | ((linear >>> 9) & 0xff8);
    const cause = this.#takeSmall(entryAt, SMALL_RESERVED);
    return cause === FOUND && physical.read(entryAt + 4, 4) !== 0 ? RESERVED : cause;
  }

  #takeLarge(linear: number, mask: number): void {
    this.#entryAt = this.#directoryAt;
    this.#entry = this.#directory;
    this.page = (this.#directory & mask) | (linear & ~mask & PAGE_MASK);
  }

  #takeSmall(entryAt: number, reserved: number): number {
    const entry = this.#physical.read(entryAt, 4);
    this.#entryAt = entryAt;
    this.#entry = entry;
    this.page = entry & PAGE_MASK;
    if ((entry & ENTRY_PRESENT) === 0) return ABSENT;
    return entry & reserved ? RESERVED : FOUND;
  }

  #update(address: number, entry: number): void {
    this.isUpdating = true;
    this.#physical.write(address, 4, entry);
    this.isUpdating = false;
  }

  #noteTable(address: number): boolean {
    const page = address >>> 12;
    if (!this.#physical.isReadableRam(page)) return false;
    if ((this.#physical.pageFlags[page] & PAGE_TABLE) === 0) {
      this.#physical.setFlag(page, PAGE_TABLE);
      this.#tablePages[this.#tableCount] = page;
      this.#tableCount += 1;
    }
    return true;
  }
}

// What `#find` returns: error code bits, or what is none.
const FOUND = -1;
const ABSENT = 0;
const RESERVED = PF_PRESENT | PF_RESERVED;
