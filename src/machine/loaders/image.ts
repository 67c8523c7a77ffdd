/** Finds out what an image is and starts it the way it wants. */
import type { Machine } from '../machine.js';
import { SymbolTable } from '../symbols.js';
import { UserError } from '../user-error.js';
import { isBzImage, loadBzImage } from './bzimage.js';
import { ElfFile, isElf } from './elf.js';
import { elfSymbols } from './elf-symbols.js';
import { FLAT_ADDRESS, loadFlat } from './flat.js';
import { foreignKind } from './foreign.js';
import { type Image, ImageReader } from './image-bytes.js';
import { MemoryPlan } from './memory-plan.js';
import { loadMultiboot } from './multiboot.js';
import { findMultibootHeader } from './multiboot-header.js';
import { enterProtectedMode } from './protected-start.js';

export type { Image } from './image-bytes.js';

const STACK_BYTES = 4096;
const STACK_LOWEST = 0x10000;

/** What the user says beside the image. */
export interface LoadImageOptions {
  /** For the kernel, as it is. Multiboot and Linux alone. */
  readonly cmdline?: string | undefined;
  /** Multiboot: the kernel's first module. Linux: its initial ramdisk. Nobody else takes one. */
  readonly initrd?: Uint8Array | undefined;
  /** Physical address of a flat binary, FLAT_ADDRESS where absent: for what is nothing else. */
  readonly address?: number | undefined;
}

/** What was loaded. */
export interface LoadedImage {
  readonly kind: 'multiboot' | 'linux' | 'elf' | 'flat' | 'bios';
  /** Physical address of the first instruction, unsigned. */
  readonly entry: number;
  /** Empty where the image has none. */
  readonly symbols: SymbolTable;
}

/**
 * Resets the machine, writes the image into its RAM and sets the processor to its entry: 32-bit protected
 * mode, flat segments, no paging, interrupts off. RAM that the image doesn't touch stays as it is.
 * @throws UserError when the image is broken, is none that we know, or doesn't fit.
 */
export function loadImage(machine: Machine, image: Image, options: LoadImageOptions): LoadedImage {
  machine.reset();
  const { cmdline = '', initrd = null } = options;
  if (isBzImage(image)) {
    const entry = loadBzImage(machine, image, { cmdline, initrd });
    return { kind: 'linux', entry, symbols: SymbolTable.empty };
  }
  const header = findMultibootHeader(image);
  if (header !== null) {
    const entry = loadMultiboot(machine, image, header, { cmdline, initrd });
    return { kind: 'multiboot', entry, symbols: symbolsOf(image) };
  }
  refuseBootInformation(image, options);
  if (isElf(image)) {
    return { kind: 'elf', entry: loadElf(machine, image), symbols: symbolsOf(image) };
  }
  const foreign = options.address === undefined ? foreignKind(image.bytes) : null;
  if (foreign !== null) {
    new ImageReader(image).fail(
      `is ${foreign}, no kernel; to run it as a flat binary all the same give --address`,
    );
  }
  const entry = loadFlat(machine, image, options.address ?? FLAT_ADDRESS);
  return { kind: 'flat', entry, symbols: SymbolTable.empty };
}

/** The image's symbols, or an empty table where it has none that can be read: they are no reason to fail. */
export function symbolsOf(image: Image): SymbolTable {
  if (!isElf(image)) return SymbolTable.empty;
  try {
    return elfSymbols(new ElfFile(image));
  } catch (error) {
    if (error instanceof UserError) return SymbolTable.empty;
    throw error;
  }
}

/** A plain ELF32 executable: its segments, and nothing handed over. */
function loadElf(machine: Machine, image: Image): number {
  const plan = new MemoryPlan(machine, image.name);
  const elf = new ElfFile(image);
  elf.load(plan, machine.cpu.core.physical);
  const entry = elf.physicalEntry();
  const stack = plan.place(STACK_BYTES, 16, 'a stack', STACK_LOWEST) + STACK_BYTES;
  enterProtectedMode(machine, { entry, stack, eax: 0, ebx: 0 });
  return entry;
}

function refuseBootInformation(image: Image, options: LoadImageOptions): void {
  const given = options.initrd !== undefined ? '--initrd' : options.cmdline ? '--cmdline' : null;
  if (given === null) return;
  new ImageReader(image).fail(
    `is no Multiboot or Linux kernel, so there is nobody to take ${given}; leave it out`,
  );
}
