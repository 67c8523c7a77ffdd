/**
 * The Multiboot 1 information structure: what the kernel finds at EBX.
 *
 * Multiboot Specification version 0.6.96, "Boot information format".
 */
import type { PhysicalMemory } from '../../cpu/physical-memory.js';
import { memoryMap } from './memory-map.js';
import { HIGH_MEMORY, LOW_MEMORY_END, type MemoryPlan, type Range } from './memory-plan.js';

const INFO_BYTES = 116;
const MODULE_BYTES = 16;
const MAP_ENTRY_BYTES = 24;
/** Where the structure is looked for room: above what kernels like to use without asking. */
const INFO_LOWEST = 0x10000;

const INFO_MEMORY = 1 << 0;
const INFO_CMDLINE = 1 << 2;
const INFO_MODULES = 1 << 3;
const INFO_ELF_SECTIONS = 1 << 5;
const INFO_MEMORY_MAP = 1 << 6;
const INFO_LOADER_NAME = 1 << 9;
const INFO_FRAMEBUFFER = 1 << 12;

const LOADER_NAME = 'holdoff';
const MODULE_NAME = 'initrd';
const TEXT_ADDRESS = 0xb8000;
const TEXT_COLUMNS = 80;
const TEXT_ROWS = 25;
/** `framebuffer_type`: EGA text. */
const FRAMEBUFFER_TEXT = 2;

/** The kernel's section headers in memory. */
export interface SectionHeaders {
  readonly count: number;
  readonly entryBytes: number;
  readonly address: number;
  readonly namesIndex: number;
}

/** What a kernel is told. */
export interface BootInformation {
  readonly memoryBytes: number;
  readonly cmdline: string;
  /** Where the initrd lies, or null. */
  readonly module: Range | null;
  readonly sections: SectionHeaders | null;
  /** The kernel asked for a video mode. It gets the only one there is, 80 by 25 characters. */
  readonly wantsVideoMode: boolean;
}

/** Little-endian fields in a growing block, with strings behind them. */
class Block {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  u32(offset: number, ...values: number[]): void {
    values.forEach((value, index) => this.#view.setUint32(offset + index * 4, value, true));
  }
}

/**
 * Builds the structure, finds room for it below 1 MiB if there is any, and writes it.
 * @returns its physical address, for EBX.
 * @throws UserError when there is no room.
 */
export function placeBootInformation(
  boot: BootInformation,
  plan: MemoryPlan,
  physical: PhysicalMemory,
): number {
  const strings = [boot.cmdline, LOADER_NAME, MODULE_NAME].map((text) =>
    new TextEncoder().encode(`${text}\0`),
  );
  const map = memoryMap(boot.memoryBytes);
  const modulesAt = INFO_BYTES;
  const mapAt = modulesAt + MODULE_BYTES;
  const stringsAt = mapAt + map.length * MAP_ENTRY_BYTES;
  const length = strings.reduce((total, text) => total + text.length, stringsAt);
  const base = plan.place(length, 16, 'the Multiboot information', INFO_LOWEST);
  const block = new Block(length);

  let at = stringsAt;
  const [cmdlineAt, loaderNameAt, moduleNameAt] = strings.map((text) => {
    block.bytes.set(text, at);
    at += text.length;
    return base + at - text.length;
  });
  map.forEach(({ first, end, type }, index) => {
    // `size` doesn't count itself.
    const entry = [MAP_ENTRY_BYTES - 4, first, 0, end - first, 0, type];
    block.u32(mapAt + index * MAP_ENTRY_BYTES, ...entry);
  });
  if (boot.module !== null) {
    block.u32(modulesAt, boot.module.first, boot.module.end, moduleNameAt, 0);
  }

  let flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_LOADER_NAME;
  block.u32(4, LOW_MEMORY_END / 1024, (boot.memoryBytes - HIGH_MEMORY) / 1024);
  block.u32(16, cmdlineAt, boot.module === null ? 0 : 1, base + modulesAt);
  if (boot.sections !== null) {
    flags |= INFO_ELF_SECTIONS;
    const { count, entryBytes, address, namesIndex } = boot.sections;
    block.u32(28, count, entryBytes, address, namesIndex);
  }
  block.u32(44, map.length * MAP_ENTRY_BYTES, base + mapAt);
  block.u32(64, loaderNameAt);
  if (boot.wantsVideoMode) {
    flags |= INFO_FRAMEBUFFER;
    block.u32(88, TEXT_ADDRESS, 0, TEXT_COLUMNS * 2, TEXT_COLUMNS, TEXT_ROWS);
    block.bytes[108] = 16;
    block.bytes[109] = FRAMEBUFFER_TEXT;
  }
  block.u32(0, flags);
  physical.load(base, block.bytes);
  return base;
}
