/**
 * The page walk of 32-bit paging: 4 KiB pages, and 4 MiB pages where CR4.PSE is set.
 *
 * A walk checks everything before it changes anything: accessed and dirty bits are set only when the
 * access is allowed. Pages from which entries were read get PAGE_TABLE, so that a later write to them
 * is heard of, and translations that were cached never outlive the tables that they came from.
 *
 * Sources: Intel SDM vol. 3A §4.3 and §4.6 to §4.8.
 */
import { CR0_WP, CR4_PSE } from './control-registers.js';
import { PF_PRESENT, PF_RESERVED, PF_USER, PF_WRITE, raisePageFault } from './fault.js';
import { PAGE_TABLE, type PhysicalMemory } from './physical-memory.js';
import type { State } from './state.js';
import { CR3 } from './state-layout.js';

const ENTRY_PRESENT = 1 << 0;
const ENTRY_WRITABLE = 1 << 1;
const ENTRY_USER = 1 << 2;
const ENTRY_ACCESSED = 1 << 5;
const ENTRY_DIRTY = 1 << 6;
/** In a page-directory entry: it maps 4 MiB. */
const ENTRY_LARGE = 1 << 7;
/**
 * Must be zero where CR4.PSE is set: bits 12 to 21 of an entry for 4 MiB and bit 7 of a page-table
 * entry, since we offer neither PSE-36 nor the PAT.
 */
const LARGE_RESERVED = 0x003ff000;
const SMALL_RESERVED = 1 << 7;

const PAGE_MASK = ~0xfff;

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
    const physical = this.#physical;
    const access = (isWrite ? PF_WRITE : 0) | (isUser ? PF_USER : 0);
    const directoryAt = (this.#state.get(CR3) & PAGE_MASK) | ((linear >>> 20) & 0xffc);
    const directory = physical.read(directoryAt, 4);
    if ((directory & ENTRY_PRESENT) === 0) raisePageFault(linear, access);
    const hasLargePages = (this.#state.cr4 & CR4_PSE) !== 0;
    let entryAt = directoryAt;
    let entry = directory;
    let rights = directory;
    if (hasLargePages && directory & ENTRY_LARGE) {
      if (directory & LARGE_RESERVED) raisePageFault(linear, access | PF_PRESENT | PF_RESERVED);
      this.page = (directory & 0xffc00000) | (linear & 0x003ff000);
    } else {
      entryAt = (directory & PAGE_MASK) | ((linear >>> 10) & 0xffc);
      entry = physical.read(entryAt, 4);
      if ((entry & ENTRY_PRESENT) === 0) raisePageFault(linear, access);
      if (hasLargePages && entry & SMALL_RESERVED) {
        raisePageFault(linear, access | PF_PRESENT | PF_RESERVED);
      }
      rights &= entry;
      this.page = entry & PAGE_MASK;
    }
    const canWrite =
      (rights & ENTRY_WRITABLE) !== 0 || (!isUser && (this.#state.cr0 & CR0_WP) === 0);
    if ((isUser && (rights & ENTRY_USER) === 0) || (isWrite && !canWrite)) {
      raisePageFault(linear, access | PF_PRESENT);
    }
    if (!commits) return;
    if (entryAt !== directoryAt && (directory & ENTRY_ACCESSED) === 0) {
      this.#update(directoryAt, directory | ENTRY_ACCESSED);
    }
    const marked = entry | ENTRY_ACCESSED | (isWrite ? ENTRY_DIRTY : 0);
    if (marked !== entry) this.#update(entryAt, marked);
    this.isWritable = canWrite && (marked & ENTRY_DIRTY) !== 0;
    this.isCacheable = this.#noteTable(directoryAt) && this.#noteTable(entryAt);
  }

  /**
   * The physical address for a debugger: privilege and R/W don't matter, nothing changes.
   * @returns -1 where nothing is mapped.
   */
  peek(linear: number): number {
    const directory = this.#physical.read(
      (this.#state.get(CR3) & PAGE_MASK) | ((linear >>> 20) & 0xffc),
      4,
    );
    if ((directory & ENTRY_PRESENT) === 0) return -1;
    if (this.#state.cr4 & CR4_PSE && directory & ENTRY_LARGE) {
      return ((directory & 0xffc00000) | (linear & 0x003fffff)) >>> 0;
    }
    const entry = this.#physical.read((directory & PAGE_MASK) | ((linear >>> 10) & 0xffc), 4);
    return entry & ENTRY_PRESENT ? ((entry & PAGE_MASK) | (linear & 0xfff)) >>> 0 : -1;
  }

  /** Takes PAGE_TABLE off all pages again: no cached translation depends on them any more. */
  forgetTables(): void {
    for (let i = 0; i < this.#tableCount; i++) {
      this.#physical.clearFlag(this.#tablePages[i], PAGE_TABLE);
    }
    this.#tableCount = 0;
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
