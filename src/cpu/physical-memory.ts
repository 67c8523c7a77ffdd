/**
 * The guest's physical address space: RAM inside the one memory, everything else through `Mmio`.
 *
 * Every write that compiled code does not do by itself passes here, and compiled code writes a page by
 * itself only while the page's flags are 0. So whoever must hear of a write (decoded code, page walks,
 * checkpoints, digests) sets a flag and has the TLB's write tags dropped.
 */
import type { AccessSize, Mmio } from './bus.js';
import type { State } from './state.js';
import { RAM_BASE } from './state-layout.js';

/** Reads come from RAM, writes go to `Mmio` (which ignores them for a ROM). */
export const PAGE_ROM = 1;
/** Reads and writes go to `Mmio`. */
export const PAGE_MMIO = 2;
/** Instructions were decoded from this page. */
export const PAGE_CODE = 4;
/** A page walk read an entry from this page, and the TLB may hold what it found. */
export const PAGE_TABLE = 8;
/** Not written since `beginEpoch`, or at all. */
export const PAGE_CLEAN = 16;

/** Log2 of the bytes per unit in which code is tracked inside a page. */
const CODE_LINE_SHIFT = 6;

/** RAM and the devices' windows by physical address. */
export class PhysicalMemory {
  readonly ramBytes: number;
  /** RAM alone, physical address 0 first. */
  readonly ram: Uint8Array;
  /** `PAGE_*` bits, one byte for each 4 KiB page of RAM. */
  readonly pageFlags: Uint8Array;
  /** The epoch in which a page was last written, one entry a page; 0 where never. */
  readonly writtenEpoch: Uint32Array;
  /** Called after the flags' owner must learn that decoded code in this page may be stale. */
  onCodeWrite: (page: number) => void = () => undefined;
  /** Called before bytes of a page from which a page walk read an entry are written. */
  onTableWrite: (physical: number, size: number) => void = () => undefined;
  /** Called when a page, or every page, stopped being plainly writable: cached write permission must go. */
  onFlagsSet: (page: number | null) => void = () => undefined;

  readonly #view: DataView;
  readonly #mmio: Mmio;
  readonly #codeLines: Uint8Array;
  #epoch = 1;
  /** Pages in the order in which they were first written in an epoch, and those epochs. */
  #writtenPages: number[] = [];
  #writtenEpochs: number[] = [];
  /** Where in these the present epoch begins. */
  #epochStart = 0;

  /**
   * @param ramBytes a multiple of 4096 that fits behind RAM_BASE.
   * @throws RangeError when it isn't.
   */
  constructor(state: State, ramBytes: number, mmio: Mmio) {
    if (ramBytes <= 0 || ramBytes % 4096 !== 0 || RAM_BASE + ramBytes > state.u8.length) {
      throw new RangeError(`RAM of ${ramBytes} bytes does not fit the memory`);
    }
    this.ramBytes = ramBytes;
    this.ram = state.u8.subarray(RAM_BASE, RAM_BASE + ramBytes);
    this.#view = new DataView(state.memory.buffer, RAM_BASE, ramBytes);
    this.#mmio = mmio;
    // RAM is known to be zero where nobody wrote: then nobody has to read it either.
    this.pageFlags = new Uint8Array(ramBytes >>> 12).fill(PAGE_CLEAN);
    this.writtenEpoch = new Uint32Array(ramBytes >>> 12);
    this.#codeLines = new Uint8Array(ramBytes >>> CODE_LINE_SHIFT);
  }

  /** True when the physical page (address >>> 12) is RAM that reads as RAM. */
  isReadableRam(page: number): boolean {
    return page < this.pageFlags.length && (this.pageFlags[page] & PAGE_MMIO) === 0;
  }

  /** True when plain stores into the page need nobody's notice. */
  isPlainlyWritable(page: number): boolean {
    return page < this.pageFlags.length && this.pageFlags[page] === 0;
  }

  /** Reads 1, 2 or 4 bytes that lie within one page; 4 bytes come signed. */
  read(physical: number, size: AccessSize): number {
    const address = physical >>> 0;
    if (!this.isReadableRam(address >>> 12)) return this.#mmio.read(address, size);
    if (size === 4) return this.#view.getInt32(address, true);
    return size === 2 ? this.#view.getUint16(address, true) : this.ram[address];
  }

  /** Writes 1, 2 or 4 bytes that lie within one page, and tells whom the page's flags name. */
  write(physical: number, size: AccessSize, value: number): void {
    const address = physical >>> 0;
    const page = address >>> 12;
    if (page >= this.pageFlags.length || this.pageFlags[page] & (PAGE_MMIO | PAGE_ROM)) {
      this.#mmio.write(address, size, value);
      return;
    }
    if (this.pageFlags[page] !== 0) this.#noteWrite(page, address, size);
    if (size === 4) this.#view.setInt32(address, value, true);
    else if (size === 2) this.#view.setUint16(address, value, true);
    else this.ram[address] = value;
  }

  /**
   * Copies bytes into RAM as a write would, for loaders, checkpoints and debuggers: ROM is written
   * too, and whoever watches the pages is told.
   * @throws RangeError when they reach beyond RAM.
   */
  load(physical: number, bytes: Uint8Array): void {
    if (physical + bytes.length > this.ramBytes) {
      throw new RangeError(`bytes at ${physical.toString(16)}h reach beyond RAM`);
    }
    for (let at = physical; at < physical + bytes.length; at = (at | 0xfff) + 1) {
      const end = Math.min((at | 0xfff) + 1, physical + bytes.length);
      if (this.pageFlags[at >>> 12] !== 0) this.#noteWrite(at >>> 12, at, end - at);
    }
    this.ram.set(bytes, physical);
  }

  /**
   * As `load`, for bytes most of which are there already: only lines that differ are written, so that
   * decoded code in the others stays.
   * @param physical a multiple of 64, as is the number of bytes.
   */
  replace(physical: number, bytes: Uint8Array): void {
    const line = 1 << CODE_LINE_SHIFT;
    const given = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += line) {
      let differs = false;
      for (let word = at; word < at + line && !differs; word += 4) {
        differs = this.#view.getInt32(physical + word) !== given.getInt32(word);
      }
      if (differs) this.load(physical + at, bytes.subarray(at, at + line));
    }
  }

  /** Marks that instructions were decoded from these bytes, which lie within one page of RAM. */
  markCode(physical: number, size: number): void {
    const last = (physical + size - 1) >>> CODE_LINE_SHIFT;
    for (let line = physical >>> CODE_LINE_SHIFT; line <= last; line++) this.#codeLines[line] = 1;
    this.setFlag(physical >>> 12, PAGE_CODE);
  }

  /** Forgets that the page holds decoded code. */
  clearCode(page: number): void {
    const lines = 4096 >> CODE_LINE_SHIFT;
    this.#codeLines.fill(0, page * lines, (page + 1) * lines);
    this.pageFlags[page] &= ~PAGE_CODE;
  }

  /** Sets a flag; when it is new, cached write permission to the page is dropped. */
  setFlag(page: number, flag: number): void {
    if (this.pageFlags[page] & flag) return;
    const wasPlain = this.pageFlags[page] === 0;
    this.pageFlags[page] |= flag;
    if (wasPlain) this.onFlagsSet(page);
  }

  clearFlag(page: number, flag: number): void {
    this.pageFlags[page] &= ~flag;
  }

  /**
   * Starts a new epoch and returns its number (1, 2, ...): from now on `writtenEpoch[page] >= epoch`
   * says that the page was written since.
   */
  beginEpoch(): number {
    this.#epoch += 1;
    for (let place = this.#epochStart; place < this.#writtenPages.length; place++) {
      this.#setClean(this.#writtenPages[place]);
    }
    if (this.#writtenPages.length > 2 * this.pageFlags.length) this.#forgetRewritten();
    this.#epochStart = this.#writtenPages.length;
    this.onFlagsSet(null);
    return this.#epoch;
  }

  /**
   * The pages that were written in an epoch or later ones, ascending; of epoch 1, the first: all that were
   * ever written. The others are zero.
   */
  writtenSince(epoch: number): number[] {
    const pages: number[] = [];
    for (let place = this.#writtenPages.length - 1; place >= 0; place--) {
      const at = this.#writtenEpochs[place];
      if (at < epoch) break;
      const page = this.#writtenPages[place];
      if (this.writtenEpoch[page] === at) pages.push(page);
    }
    return pages.sort((a, b) => a - b);
  }

  #setClean(page: number): void {
    // A ROM is not written by the guest, but a debugger may `load` something there.
    if ((this.pageFlags[page] & PAGE_MMIO) === 0) this.pageFlags[page] |= PAGE_CLEAN;
  }

  /** Keeps of each page the last epoch in which it was written. */
  #forgetRewritten(): void {
    const places = [...this.#writtenPages.keys()].filter(
      (place) => this.writtenEpoch[this.#writtenPages[place]] === this.#writtenEpochs[place],
    );
    this.#writtenPages = places.map((place) => this.#writtenPages[place]);
    this.#writtenEpochs = places.map((place) => this.#writtenEpochs[place]);
  }

  #noteWrite(page: number, address: number, size: number): void {
    const flags = this.pageFlags[page];
    if (flags & PAGE_CLEAN) {
      this.pageFlags[page] &= ~PAGE_CLEAN;
      this.writtenEpoch[page] = this.#epoch;
      this.#writtenPages.push(page);
      this.#writtenEpochs.push(this.#epoch);
    }
    if (flags & PAGE_CODE && this.#touchesCode(address, size)) this.onCodeWrite(page);
    if (flags & PAGE_TABLE) this.onTableWrite(address, size);
  }

  #touchesCode(address: number, size: number): boolean {
    const last = (address + size - 1) >>> CODE_LINE_SHIFT;
    for (let line = address >>> CODE_LINE_SHIFT; line <= last; line++) {
      if (this.#codeLines[line]) return true;
    }
    return false;
  }
}
