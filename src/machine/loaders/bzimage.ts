/**
 * Starts Linux from a bzImage by the 32-bit boot protocol: the kernel's setup code, which would run in
 * real mode, is left out, and what it would find out is written into the "zero page".
 *
 * Linux kernel documentation, "The Linux/x86 Boot Protocol", sections "The Real-Mode Kernel Header" and
 * "32-bit Boot Protocol", and "Zero Page".
 */
import { GDTR_BASE, GDTR_LIMIT } from '../../cpu/state-layout.js';
import type { Machine } from '../machine.js';
import { formatMemory } from '../machine-options.js';
import { hex, type Image, ImageReader } from './image-bytes.js';
import { memoryMap } from './memory-map.js';
import { HIGH_MEMORY, MemoryPlan, type Range } from './memory-plan.js';
import { enterProtectedMode } from './protected-start.js';

/** Where the setup header's fields are, in the file and in the zero page alike. */
const SETUP_SECTORS = 0x1f1;
const BOOT_FLAG = 0x1fe;
const JUMP_OFFSET = 0x201;
const HEADER_MAGIC = 0x202;
const VERSION = 0x206;
const TYPE_OF_LOADER = 0x210;
const LOAD_FLAGS = 0x211;
const CODE32_START = 0x214;
const RAMDISK_IMAGE = 0x218;
const RAMDISK_SIZE = 0x21c;
const CMD_LINE_POINTER = 0x228;
const INITRD_ADDRESS_MAX = 0x22c;
const KERNEL_ALIGNMENT = 0x230;
const RELOCATABLE = 0x234;
const CMDLINE_SIZE = 0x238;
const PREFERRED_ADDRESS = 0x258;
const INIT_SIZE = 0x260;
/** The zero page's own fields. */
const ALT_MEM_K = 0x1e0;
const E820_COUNT = 0x1e8;
const E820_TABLE = 0x2d0;
const E820_ENTRY_BYTES = 20;

const ZERO_PAGE_BYTES = 4096;
const BOOT_FLAG_VALUE = 0xaa55;
/** "HdrS". */
const MAGIC_VALUE = 0x53726448;
const SECTOR_BYTES = 512;
/** What SETUP_SECTORS means where it is 0. */
const SETUP_SECTORS_DEFAULT = 4;
/** 2.06, of Linux 2.6.22: the first that says how long a command line may be. */
const VERSION_LEAST = 0x206;
/** The first version with PREFERRED_ADDRESS and INIT_SIZE. */
const VERSION_INIT_SIZE = 0x20a;
/** How much memory a kernel decompresses into that doesn't say, as a multiple of the file. */
const GUESSED_EXPANSION = 4;
const LOADED_HIGH = 0x01;
/** A loader without a number of its own. */
const LOADER_UNDEFINED = 0xff;
const KIB = 1024;
const PAGE_BYTES = 4096;
const STACK_BYTES = 4096;
/** Where zero page, command line and descriptors are looked for room: clear of the first pages. */
const LOW_DATA = 0x10000;
/** __BOOT_CS and __BOOT_DS. */
const SELECTORS = { code: 0x10, data: 0x18 };
const GDT = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0, 0],
  ...[0, 0, 0, 0, 0, 0, 0, 0],
  ...[0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0],
  ...[0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0],
);

/** What the user gives a kernel. */
export interface LinuxOptions {
  readonly cmdline: string;
  readonly initrd: Uint8Array | null;
}

/** The file says that it is a Linux kernel for x86, of whatever version. */
export function isBzImage(image: Image): boolean {
  if (image.bytes.length < HEADER_MAGIC + 4) return false;
  const file = new ImageReader(image);
  const what = 'Linux header';
  return (
    file.u16(BOOT_FLAG, what) === BOOT_FLAG_VALUE && file.u32(HEADER_MAGIC, what) === MAGIC_VALUE
  );
}

/** What of the setup header matters here. */
class SetupHeader {
  readonly file: ImageReader;
  readonly what = 'Linux header';
  readonly version: number;

  /** @throws UserError where the kernel is too old, or no bzImage. */
  constructor(image: Image) {
    this.file = new ImageReader(image);
    this.version = this.file.u16(VERSION, this.what);
    if (this.version < VERSION_LEAST) {
      const version = `${this.version >> 8}.${String(this.version & 0xff).padStart(2, '0')}`;
      this.file.fail(
        `is a Linux kernel with boot protocol ${version}, and 2.06 is the oldest that holdoff starts; take Linux 2.6.22 or later`,
      );
    }
    if ((this.byte(LOAD_FLAGS) & LOADED_HIGH) === 0) {
      this.file.fail(
        'is a zImage, which loads below 640 KiB; build the kernel with `make bzImage`',
      );
    }
  }

  byte(offset: number): number {
    return this.file.slice(offset, 1, this.what)[0];
  }

  u32(offset: number): number {
    return this.file.u32(offset, this.what);
  }

  /** The header as it goes into the zero page, which begins at SETUP_SECTORS. */
  get bytes(): Uint8Array {
    const end = HEADER_MAGIC + this.byte(JUMP_OFFSET);
    return this.file.slice(SETUP_SECTORS, end - SETUP_SECTORS, this.what);
  }

  /** The protected-mode part: what follows the boot sector and the setup code. */
  get kernel(): Uint8Array {
    const sectors = this.byte(SETUP_SECTORS) || SETUP_SECTORS_DEFAULT;
    const offset = (sectors + 1) * SECTOR_BYTES;
    if (offset >= this.file.length) {
      this.file.fail('ends with its setup code; the image is cut off or broken');
    }
    return this.file.slice(offset, this.file.length - offset, this.what);
  }

  /** Physical addresses that the kernel uses before it has read the memory map. */
  room(load: number, fileBytes: number): Range {
    if (this.version < VERSION_INIT_SIZE) {
      return { first: load, end: load + fileBytes * GUESSED_EXPANSION };
    }
    // Loaded lower than it likes, a kernel decompresses to where it likes.
    const preferred = this.u32(PREFERRED_ADDRESS);
    const alignment = this.u32(KERNEL_ALIGNMENT) || PAGE_BYTES;
    const aligned = Math.ceil(load / alignment) * alignment;
    const start = this.byte(RELOCATABLE) === 0 ? preferred : Math.max(aligned, preferred);
    return { first: load, end: Math.max(load + fileBytes, start + this.u32(INIT_SIZE)) };
  }
}

/**
 * Loads a kernel into a machine that was just reset, and sets the processor to its 32-bit entry.
 * @returns the entry's physical address.
 * @throws UserError when the image is broken, too old, or doesn't fit.
 */
export function loadBzImage(machine: Machine, image: Image, options: LinuxOptions): number {
  const header = new SetupHeader(image);
  const { physical, state } = machine.cpu.core;
  const plan = new MemoryPlan(machine, image.name);
  const { kernel } = header;
  const load = header.u32(CODE32_START);
  const room = header.room(load, kernel.length);
  plan.take(load, room.end - load, 'the kernel with the memory that it decompresses into');
  physical.load(load, kernel);

  const page = new Uint8Array(ZERO_PAGE_BYTES);
  const view = new DataView(page.buffer);
  page.set(header.bytes, SETUP_SECTORS);
  page[TYPE_OF_LOADER] = LOADER_UNDEFINED;
  view.setUint32(CODE32_START, load, true);
  view.setUint32(CMD_LINE_POINTER, placeCmdline(machine, plan, header, options.cmdline), true);
  const { initrd } = options;
  if (initrd !== null) {
    const first = placeInitrd(machine, header, room.end, initrd);
    view.setUint32(RAMDISK_IMAGE, first, true);
    view.setUint32(RAMDISK_SIZE, initrd.length, true);
  }
  const map = memoryMap(machine.memoryBytes);
  view.setUint32(ALT_MEM_K, Math.max(0, machine.memoryBytes - HIGH_MEMORY) / KIB, true);
  page[E820_COUNT] = map.length;
  map.forEach(({ first, end, type }, index) => {
    const at = E820_TABLE + index * E820_ENTRY_BYTES;
    [first, 0, end - first, 0, type].forEach((field, word) =>
      view.setUint32(at + word * 4, field, true),
    );
  });

  const esi = plan.place(ZERO_PAGE_BYTES, PAGE_BYTES, 'the boot parameters', LOW_DATA);
  physical.load(esi, page);
  const gdt = plan.place(GDT.length, 8, 'a descriptor table', LOW_DATA);
  physical.load(gdt, GDT);
  const stack = plan.place(STACK_BYTES, 16, 'a stack', LOW_DATA) + STACK_BYTES;
  enterProtectedMode(machine, { entry: load, stack, eax: 0, ebx: 0, esi, selectors: SELECTORS });
  state.set(GDTR_BASE, gdt);
  state.set(GDTR_LIMIT, GDT.length - 1);
  return load;
}

/** @returns the command line's physical address. */
function placeCmdline(
  machine: Machine,
  plan: MemoryPlan,
  header: SetupHeader,
  cmdline: string,
): number {
  const bytes = new TextEncoder().encode(`${cmdline}\0`);
  const most = header.u32(CMDLINE_SIZE);
  if (bytes.length - 1 > most) {
    header.file.fail(
      `takes a command line of at most ${most} bytes, and --cmdline has ${bytes.length - 1}; shorten it`,
    );
  }
  const at = plan.place(bytes.length, 16, 'the command line', LOW_DATA);
  machine.cpu.core.physical.load(at, bytes);
  return at;
}

/** As high as the kernel can reach, so that it is in nobody's way. @returns its physical address. */
function placeInitrd(
  machine: Machine,
  header: SetupHeader,
  kernelEnd: number,
  initrd: Uint8Array,
): number {
  const end = Math.min(machine.memoryBytes, header.u32(INITRD_ADDRESS_MAX) + 1);
  const first = Math.floor((end - initrd.length) / PAGE_BYTES) * PAGE_BYTES;
  if (first < kernelEnd) {
    const needed = Math.ceil((kernelEnd + initrd.length) / (1 << 20)) + 1;
    header.file.fail(
      `no room for the initrd (${initrd.length} bytes) between the kernel's end at ${hex(kernelEnd)} and ${formatMemory(end)}; give --memory ${needed}M or more`,
    );
  }
  machine.cpu.core.physical.load(first, initrd);
  return first;
}
