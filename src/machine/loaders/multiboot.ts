/**
 * Starts kernels as Multiboot 1 says: ELF images by their segments, others by the addresses in the
 * header, both with the information structure.
 *
 * Multiboot Specification version 0.6.96.
 */
import type { Machine } from '../machine.js';
import { ElfFile, isElf } from './elf.js';
import { hex, type Image, ImageReader } from './image-bytes.js';
import { MemoryPlan, type Range } from './memory-plan.js';
import type { LoadAddresses, MultibootHeader } from './multiboot-header.js';
import { placeBootInformation, type SectionHeaders } from './multiboot-info.js';
import { enterProtectedMode } from './protected-start.js';

/** EAX at the kernel's entry. */
const BOOTLOADER_MAGIC = 0x2badb002;
const PAGE_BYTES = 4096;
const STACK_BYTES = 4096;
const STACK_LOWEST = 0x10000;
const SECTION_HEADER_BYTES = 40;
/** `sh_addr` in a section header. */
const SECTION_ADDRESS = 12;

/** What the user gives a kernel. */
export interface MultibootOptions {
  readonly cmdline: string;
  readonly initrd: Uint8Array | null;
}

/**
 * Loads a kernel into a machine that was just reset, and sets the processor to its entry.
 * @returns the entry's physical address.
 * @throws UserError when the image is broken or doesn't fit.
 */
export function loadMultiboot(
  machine: Machine,
  image: Image,
  header: MultibootHeader,
  options: MultibootOptions,
): number {
  const { physical } = machine.cpu.core;
  const plan = new MemoryPlan(machine, image.name);
  let entry: number;
  let sections: SectionHeaders | null = null;
  // The header's addresses take precedence over the file's own, "OS image format", flag bit 16.
  if (header.addresses !== null) {
    entry = loadByAddresses(machine, plan, image, header, header.addresses);
  } else if (isElf(image)) {
    const elf = new ElfFile(image);
    elf.load(plan, physical);
    entry = elf.physicalEntry();
    sections = placeSections(machine, plan, elf);
  } else {
    return new ImageReader(image).fail(
      'has a Multiboot header without load addresses (flag bit 16), but is no ELF file; set them or link it as ELF32',
    );
  }
  const module = options.initrd === null ? null : placeModule(machine, plan, options.initrd);
  const { cmdline } = options;
  const { memoryBytes } = machine;
  const { wantsVideoMode } = header;
  const ebx = placeBootInformation(
    { memoryBytes, cmdline, module, sections, wantsVideoMode },
    plan,
    physical,
  );
  const stack = plan.place(STACK_BYTES, 16, 'a stack', STACK_LOWEST) + STACK_BYTES;
  enterProtectedMode(machine, { entry, stack, eax: BOOTLOADER_MAGIC, ebx });
  return entry;
}

/** Loads by the header's addresses: "The address fields of Multiboot header". */
function loadByAddresses(
  machine: Machine,
  plan: MemoryPlan,
  image: Image,
  header: MultibootHeader,
  addresses: LoadAddresses,
): number {
  const file = new ImageReader(image);
  const what = 'Multiboot header';
  const { load, loadEnd, bssEnd, entry } = addresses;
  const before = addresses.header - load;
  if (before < 0 || before > header.offset) {
    file.fail(
      `${what}: load_addr ${hex(load)} does not fit header_addr ${hex(addresses.header)} at offset ${header.offset}; correct the addresses`,
    );
  }
  const offset = header.offset - before;
  const length = loadEnd === 0 ? file.length - offset : loadEnd - load;
  if (length < 0)
    file.fail(`${what}: load_end_addr ${hex(loadEnd)} lies below load_addr ${hex(load)}`);
  const bytes = file.slice(offset, length, `${what}: load_end_addr ${hex(loadEnd)}`);
  const end = load + length;
  if (bssEnd !== 0 && bssEnd < end) {
    file.fail(`${what}: bss_end_addr ${hex(bssEnd)} lies below the end of the data ${hex(end)}`);
  }
  const zeroed = bssEnd === 0 ? 0 : bssEnd - end;
  plan.take(load, length + zeroed, `${what}: the image`);
  if (entry < load || entry >= end + zeroed) {
    file.fail(`${what}: entry_addr ${hex(entry)} lies outside the image`);
  }
  const { physical } = machine.cpu.core;
  physical.load(load, bytes);
  physical.load(end, new Uint8Array(zeroed));
  return entry;
}

/**
 * Copies the section headers into memory, and with them the sections that no segment holds (symbols,
 * strings, debugging information), whose headers then tell where they are.
 * @returns null where there are none or no room.
 */
function placeSections(machine: Machine, plan: MemoryPlan, elf: ElfFile): SectionHeaders | null {
  const sections = elf.sections();
  if (sections.length === 0) return null;
  const { physical } = machine.cpu.core;
  // Not slice(), which of a Buffer is no copy.
  const table = Uint8Array.from(elf.sectionTable());
  const view = new DataView(table.buffer);
  for (const [index, section] of sections.entries()) {
    if (section.isAllocated || !section.hasBytes || section.size === 0) continue;
    const address = plan.find(section.size, 16, plan.highEnd);
    if (address < 0) return null;
    physical.load(address, elf.sectionBytes(section));
    view.setUint32(index * SECTION_HEADER_BYTES + SECTION_ADDRESS, address, true);
  }
  const address = plan.find(table.length, 16, plan.highEnd);
  if (address < 0) return null;
  physical.load(address, table);
  return {
    count: sections.length,
    entryBytes: SECTION_HEADER_BYTES,
    address,
    namesIndex: elf.sectionNames,
  };
}

/** Modules are page-aligned whether the kernel asks for it or not, and lie behind the kernel. */
function placeModule(machine: Machine, plan: MemoryPlan, bytes: Uint8Array): Range {
  const first = plan.place(Math.max(1, bytes.length), PAGE_BYTES, 'the initrd', plan.highEnd);
  machine.cpu.core.physical.load(first, bytes);
  return { first, end: first + bytes.length };
}
