/**
 * ELF32 executables for the i386: their headers, segments and sections. Everything read from the file is
 * checked before it is used.
 *
 * Tool Interface Standard, Executable and Linking Format, version 1.2; System V ABI, Intel386 supplement.
 */
import type { PhysicalMemory } from '../../cpu/physical-memory.js';
import { hex, type Image, ImageReader } from './image-bytes.js';
import type { MemoryPlan } from './memory-plan.js';

const ELF_MAGIC = 0x464c457f;
const EI_CLASS = 4;
const EI_DATA = 5;
const CLASS_32 = 1;
const DATA_LITTLE_ENDIAN = 1;
const TYPE_EXECUTABLE = 2;
const MACHINE_386 = 3;
const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const SECTION_HEADER_BYTES = 40;
const PT_LOAD = 1;
const SHT_NOBITS = 8;
const SHF_ALLOC = 2;

/** A PT_LOAD program header. Addresses and lengths are unsigned numbers. */
export interface Segment {
  /** Its number in the file, from 0. */
  readonly index: number;
  readonly virtualAddress: number;
  readonly physicalAddress: number;
  readonly memoryBytes: number;
  readonly fileOffset: number;
  readonly fileBytes: number;
}

/** A section header. */
export interface Section {
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly entrySize: number;
  /** It is part of a segment. */
  readonly isAllocated: boolean;
  /** It has bytes in the file. */
  readonly hasBytes: boolean;
}

/** True when the file says that it is an ELF file of whatever kind. */
export function isElf(image: Image): boolean {
  return image.bytes.length >= 4 && new ImageReader(image).u32(0, 'ELF header') === ELF_MAGIC;
}

/** An ELF32 i386 executable. */
export class ElfFile {
  /** The entry point as the file gives it: in the addresses that the image was linked for. */
  readonly entry: number;
  readonly segments: readonly Segment[];
  readonly sectionNames: number;
  /** Where the section headers lie in the file, and how many there are: 0 where the file has none. */
  readonly sectionOffset: number;
  readonly sectionCount: number;
  /** The image's name, for messages. */
  readonly name: string;
  readonly #file: ImageReader;

  /** @throws UserError unless the image is an executable of this kind with segments inside the file. */
  constructor(image: Image) {
    this.#file = new ImageReader(image);
    this.name = image.name;
    this.#checkIdentity();
    const what = 'ELF header';
    this.entry = this.#file.u32(24, what);
    this.segments = this.#readSegments();
    this.sectionOffset = this.#file.u32(32, what);
    this.sectionCount = this.sectionOffset === 0 ? 0 : this.#file.u16(48, what);
    this.sectionNames = this.#file.u16(50, what);
  }

  /**
   * Copies the segments to their physical addresses and zeroes what the file leaves out of them.
   * @throws UserError when one doesn't lie in RAM.
   */
  load(plan: MemoryPlan, physical: PhysicalMemory): void {
    for (const segment of this.segments) {
      const what = `program header ${segment.index}: segment`;
      plan.take(segment.physicalAddress, segment.memoryBytes, what);
    }
    for (const segment of this.segments) {
      physical.load(
        segment.physicalAddress,
        this.#file.slice(segment.fileOffset, segment.fileBytes, 'segment'),
      );
      const rest = segment.memoryBytes - segment.fileBytes;
      physical.load(segment.physicalAddress + segment.fileBytes, new Uint8Array(rest));
    }
  }

  /**
   * The physical address to start at. An entry in the addresses of a segment that is loaded elsewhere
   * is taken along with it.
   * @throws UserError when it lies in no segment.
   */
  physicalEntry(): number {
    for (const segment of this.segments) {
      const offset = this.entry - segment.virtualAddress;
      if (offset >= 0 && offset < segment.memoryBytes) return segment.physicalAddress + offset;
    }
    for (const segment of this.segments) {
      const offset = this.entry - segment.physicalAddress;
      if (offset >= 0 && offset < segment.memoryBytes) return this.entry;
    }
    return this.#file.fail(
      `entry point ${hex(this.entry)} lies in no loaded segment; the image was linked wrongly`,
    );
  }

  /** All section headers. @throws UserError when they don't lie in the file. */
  sections(): Section[] {
    if (this.sectionCount === 0) return [];
    const entryBytes = this.#file.u16(46, 'ELF header');
    if (entryBytes !== SECTION_HEADER_BYTES) {
      this.#file.fail(
        `section headers of ${entryBytes} bytes, expected ${SECTION_HEADER_BYTES}; the image is broken`,
      );
    }
    return Array.from({ length: this.sectionCount }, (_, index) => this.#section(index));
  }

  /** A section's bytes in the file. @throws UserError when they don't lie in it. */
  sectionBytes(section: Section): Uint8Array {
    return this.#file.slice(section.offset, section.size, 'section');
  }

  /** The section header table as it is in the file. @throws UserError when it doesn't lie in it. */
  sectionTable(): Uint8Array {
    const length = this.sectionCount * SECTION_HEADER_BYTES;
    return this.#file.slice(this.sectionOffset, length, 'section headers');
  }

  #checkIdentity(): void {
    const file = this.#file;
    if (!isElf(file)) file.fail('is no ELF file');
    const identity = file.slice(0, HEADER_BYTES, 'ELF header');
    if (identity[EI_CLASS] !== CLASS_32 || identity[EI_DATA] !== DATA_LITTLE_ENDIAN) {
      file.fail(
        'is an ELF file, but not a 32-bit little-endian one; build it for the i386 (gcc -m32)',
      );
    }
    const machine = file.u16(18, 'ELF header');
    if (machine !== MACHINE_386) {
      file.fail(
        `is an ELF file for machine ${machine}; build it for the i386 (machine 3, gcc -m32)`,
      );
    }
    const type = file.u16(16, 'ELF header');
    if (type !== TYPE_EXECUTABLE) {
      file.fail(
        `is an ELF file of type ${type}, not an executable; link it at fixed addresses (-no-pie)`,
      );
    }
  }

  #readSegments(): Segment[] {
    const file = this.#file;
    const offset = file.u32(28, 'ELF header');
    const entryBytes = file.u16(42, 'ELF header');
    const count = file.u16(44, 'ELF header');
    if (count === 0) file.fail('has no program headers, so nothing to load; link it first');
    if (entryBytes !== PROGRAM_HEADER_BYTES) {
      file.fail(
        `program headers of ${entryBytes} bytes, expected ${PROGRAM_HEADER_BYTES}; the image is broken`,
      );
    }
    const segments: Segment[] = [];
    for (let index = 0; index < count; index++) {
      const segment = this.#segment(offset + index * PROGRAM_HEADER_BYTES, index);
      if (segment !== null) segments.push(segment);
    }
    if (segments.length === 0) file.fail('has no segment to load; link it first');
    return segments;
  }

  #segment(at: number, index: number): Segment | null {
    const file = this.#file;
    const what = `program header ${index}`;
    if (file.u32(at, what) !== PT_LOAD) return null;
    const segment: Segment = {
      index,
      fileOffset: file.u32(at + 4, what),
      virtualAddress: file.u32(at + 8, what),
      physicalAddress: file.u32(at + 12, what),
      fileBytes: file.u32(at + 16, what),
      memoryBytes: file.u32(at + 20, what),
    };
    if (segment.memoryBytes === 0) return null;
    if (segment.fileBytes > segment.memoryBytes) {
      file.fail(
        `${what}: ${segment.fileBytes} bytes in the file but ${segment.memoryBytes} in memory; the image is broken`,
      );
    }
    file.slice(segment.fileOffset, segment.fileBytes, what);
    return segment;
  }

  #section(index: number): Section {
    const file = this.#file;
    const at = this.sectionOffset + index * SECTION_HEADER_BYTES;
    const what = `section header ${index}`;
    const type = file.u32(at + 4, what);
    const section = {
      type,
      isAllocated: (file.u32(at + 8, what) & SHF_ALLOC) !== 0,
      address: file.u32(at + 12, what),
      offset: file.u32(at + 16, what),
      size: file.u32(at + 20, what),
      link: file.u32(at + 24, what),
      entrySize: file.u32(at + 36, what),
      hasBytes: type !== 0 && type !== SHT_NOBITS,
    };
    if (section.hasBytes) file.slice(section.offset, section.size, what);
    return section;
  }
}
