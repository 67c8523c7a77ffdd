/**
 * What answers at physical addresses that are no RAM: a ROM at the top of 4 GiB, the registers of the
 * local APIC, windows that others have asked for, and else nothing, which reads all ones and loses what
 * is written.
 */
import type { AccessSize, Mmio } from '../cpu/bus.js';
import type { Core } from '../cpu/core.js';
import { PAGE_CLEAN, PAGE_MMIO } from '../cpu/physical-memory.js';
import type { Apic } from './apic.js';

const FOUR_GIB = 0x1_0000_0000;
const NO_PAGE = -1;

/** The address space around RAM. */
export class PhysicalMap implements Mmio {
  readonly #apic: Apic | null;
  #rom = new Uint8Array(0);
  /** Who answers in whose stead, by the page's number. */
  readonly #windows = new Map<number, Mmio>();
  /** The page of RAM that the APIC's registers hide. */
  #hiddenPage = NO_PAGE;

  constructor(apic: Apic | null) {
    this.#apic = apic;
  }

  /** The ROM that ends at 4 GiB; empty where there is none. */
  get rom(): Uint8Array {
    return this.#rom;
  }
  set rom(bytes: Uint8Array) {
    this.#rom = Uint8Array.from(bytes);
  }

  /** Has somebody else answer for a page. It must be marked PAGE_MMIO where it would be RAM. */
  setWindow(page: number, mmio: Mmio): void {
    this.#windows.set(page, mmio);
  }

  read(physical: number, size: AccessSize): number {
    const apic = this.#apic;
    if (apic !== null && isIn(physical, apic.window)) return apic.read(physical & 0xfff, size);
    const window = this.#windows.get(physical >>> 12);
    if (window !== undefined) return window.read(physical, size);
    const offset = physical - (FOUR_GIB - this.#rom.length);
    if (offset < 0) return size === 4 ? -1 : size === 2 ? 0xffff : 0xff;
    // An access lies within one page, so all of it is in the ROM.
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.#rom[offset + i] << (i * 8);
    return value;
  }

  write(physical: number, size: AccessSize, value: number): void {
    const apic = this.#apic;
    if (apic !== null && isIn(physical, apic.window)) apic.write(physical & 0xfff, size, value);
    else this.#windows.get(physical >>> 12)?.write(physical, size, value);
  }

  /**
   * Makes RAM give way where the APIC's registers are now, and show again where they were. To be called
   * whenever they may have moved.
   */
  follow(core: Core): void {
    const window = this.#apic?.window ?? -1;
    const { physical } = core;
    const page = window >= 0 && window < physical.ramBytes ? window >>> 12 : NO_PAGE;
    if (page === this.#hiddenPage) return;
    if (this.#hiddenPage !== NO_PAGE) {
      physical.clearFlag(this.#hiddenPage, PAGE_MMIO);
      // It sat out the epochs that began meanwhile: the next write must be noted.
      physical.setFlag(this.#hiddenPage, PAGE_CLEAN);
    }
    // A page that no RAM shows through anyway stays as it is when the registers leave.
    const isRam = page !== NO_PAGE && physical.isReadableRam(page);
    if (isRam) physical.setFlag(page, PAGE_MMIO);
    this.#hiddenPage = isRam ? page : NO_PAGE;
    core.mmu.flush();
  }
}

function isIn(physical: number, window: number): boolean {
  return physical >= window && physical < window + 0x1000 && window >= 0;
}
