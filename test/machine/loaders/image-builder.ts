/** Builds images for loader tests, byte by byte, sound ones and broken ones. */

export interface TestSegment {
  readonly address: number;
  /** The physical address, where it differs. */
  readonly physical?: number;
  readonly bytes: Uint8Array;
  /** Bytes in memory; as many as in the file where absent. */
  readonly memoryBytes?: number;
}

export interface TestSymbol {
  readonly name: string;
  readonly value: number;
  readonly size?: number;
  /** STT_ and STB_ as in st_info; a global function where absent. */
  readonly info?: number;
  /** The section's number; .text (1) where absent. */
  readonly section?: number;
}

export interface TestElf {
  readonly entry: number;
  readonly segments: readonly TestSegment[];
  readonly symbols?: readonly TestSymbol[];
}

const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const SECTION_HEADER_BYTES = 40;

/** Offsets in the file, for tests that break it. */
export const ELF_OFFSETS = { programHeaders: HEADER_BYTES, machine: 18, type: 16, class: 4 };

/** An ELF32 i386 executable. With symbols it has sections: null, .text, .symtab, .strtab. */
export function buildElf(elf: TestElf): Uint8Array {
  const dataAt = HEADER_BYTES + elf.segments.length * PROGRAM_HEADER_BYTES;
  const dataBytes = elf.segments.reduce((total, { bytes }) => total + bytes.length, 0);
  const sectionsAt = (dataAt + dataBytes + 3) & ~3;
  const names = ['', ...(elf.symbols ?? []).map(({ name }) => name)].join('\0');
  const strings = new TextEncoder().encode(`${names}\0`);
  const symbolCount = 1 + (elf.symbols?.length ?? 0);
  const symbolsAt = sectionsAt + 4 * SECTION_HEADER_BYTES;
  const stringsAt = symbolsAt + symbolCount * 16;
  const hasSymbols = elf.symbols !== undefined;
  const image = new Uint8Array(hasSymbols ? stringsAt + strings.length : dataAt + dataBytes);
  const view = new DataView(image.buffer);
  const u16 = (at: number, value: number): void => view.setUint16(at, value, true);
  const u32 = (at: number, ...values: number[]): void =>
    values.forEach((value, index) => view.setUint32(at + index * 4, value, true));

  image.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  u16(16, 2);
  u16(18, 3);
  u32(20, 1, elf.entry, HEADER_BYTES, hasSymbols ? sectionsAt : 0, 0);
  u16(40, HEADER_BYTES);
  u16(42, PROGRAM_HEADER_BYTES);
  u16(44, elf.segments.length);
  u16(46, SECTION_HEADER_BYTES);
  u16(48, hasSymbols ? 4 : 0);
  u16(50, hasSymbols ? 3 : 0);
  let at = dataAt;
  elf.segments.forEach(({ address, physical, bytes, memoryBytes }, index) => {
    const header = HEADER_BYTES + index * PROGRAM_HEADER_BYTES;
    const inMemory = memoryBytes ?? bytes.length;
    u32(header, 1, at, address, physical ?? address, bytes.length, inMemory, 7, 1);
    image.set(bytes, at);
    at += bytes.length;
  });
  if (elf.symbols !== undefined) {
    const [text] = elf.segments;
    const textBytes = text.memoryBytes ?? text.bytes.length;
    const section = (index: number, ...fields: number[]): void =>
      u32(sectionsAt + index * SECTION_HEADER_BYTES, ...fields);
    section(1, 0, 1, 6, text.address, dataAt, textBytes, 0, 0, 1, 0);
    section(2, 0, 2, 0, 0, symbolsAt, symbolCount * 16, 3, 1, 4, 16);
    section(3, 0, 3, 0, 0, stringsAt, strings.length, 0, 0, 1, 0);
    let nameAt = 1;
    elf.symbols.forEach((symbol, index) => {
      const entry = symbolsAt + (index + 1) * 16;
      u32(entry, nameAt, symbol.value, symbol.size ?? 0);
      image[entry + 12] = symbol.info ?? 0x12;
      u16(entry + 14, symbol.section ?? 1);
      nameAt += symbol.name.length + 1;
    });
    image.set(strings, stringsAt);
  }
  return image;
}

/** Little-endian words as bytes. */
export function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(index * 4, value, true));
  return bytes;
}

/** A Multiboot 1 header with a right checksum, and fields behind it. */
export function multibootHeader(flags: number, ...fields: number[]): Uint8Array {
  return words(0x1badb002, flags, -(0x1badb002 + flags) >>> 0, ...fields);
}

/** Parts one behind the other. */
export function join(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export interface TestBzImage {
  /** The protected-mode part. */
  readonly kernel: Uint8Array;
  /** Boot protocol; 2.15 where absent. */
  readonly version?: number;
  readonly initSize?: number;
  readonly preferredAddress?: number;
  readonly isRelocatable?: boolean;
  readonly initrdAddressMax?: number;
}

/** A Linux kernel with one sector of setup code, loaded at 1 MiB. */
export function buildBzImage(linux: TestBzImage): Uint8Array {
  const setupBytes = 1024;
  const image = new Uint8Array(setupBytes + linux.kernel.length);
  const view = new DataView(image.buffer);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);
  image[0x1f1] = 1;
  image.set([0x55, 0xaa, 0xeb, 0x62], 0x1fe);
  image.set(new TextEncoder().encode('HdrS'), 0x202);
  view.setUint16(0x206, linux.version ?? 0x20f, true);
  image[0x211] = 0x01;
  u32(0x214, 0x100000);
  u32(0x22c, linux.initrdAddressMax ?? 0x7fffffff);
  u32(0x230, 0x1000);
  image[0x234] = linux.isRelocatable === false ? 0 : 1;
  u32(0x238, 255);
  u32(0x258, linux.preferredAddress ?? 0x100000);
  u32(0x260, linux.initSize ?? 0x10000);
  image.set(linux.kernel, setupBytes);
  return image;
}
