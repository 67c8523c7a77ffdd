/**
 * An ELF file of nothing but names, for gdb to load as a library: code that lies in no program's image, such
 * as a ROM. Executable and Linking Format (ELF), version 1.2.
 */
import type { SymbolEntry } from '../machine/symbols.js';

/** Code and the names in it. Addresses are linear and unsigned. */
export interface NamedRange {
  readonly first: number;
  readonly end: number;
  readonly symbols: readonly SymbolEntry[];
}

const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const SECTION_HEADER_BYTES = 40;
const SYMBOL_BYTES = 16;
const MAGIC = 0x464c457f;
/** 32 bits, little-endian, version 1. */
const IDENT = 0x00010101;
const ET_EXEC = 2;
const EM_386 = 3;
const PT_LOAD = 1;
const READ_EXECUTE = 5;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_NOBITS = 8;
const ALLOC_EXECUTE = 6;
const GLOBAL_FUNCTION = 0x12;

// Sections, by their numbers.
const TEXT = 1;
const STRINGS = 3;
const SECTIONS = 4;
const SECTION_NAMES = '\0.text\0.symtab\0.strtab\0';

/** The file. One section, without contents: gdb reads the code itself from the target. */
export function symbolFile({ first, end, symbols }: NamedRange): Uint8Array {
  const names = symbols.map(({ name }) => name());
  const strings = Buffer.from(`${SECTION_NAMES}${names.join('\0')}\0`, 'latin1');
  const symbolsAt = HEADER_BYTES + PROGRAM_HEADER_BYTES;
  const symbolBytes = (symbols.length + 1) * SYMBOL_BYTES;
  const stringsAt = symbolsAt + symbolBytes;
  const sectionsAt = (stringsAt + strings.length + 3) & ~3;
  const bytes = Buffer.alloc(sectionsAt + SECTIONS * SECTION_HEADER_BYTES);
  const put = (at: number, words: readonly number[]): void => {
    words.forEach((word, place) => bytes.writeUInt32LE(word >>> 0, at + place * 4));
  };
  const length = end - first;
  put(0, [MAGIC, IDENT, 0, 0, ET_EXEC | (EM_386 << 16), 1, first, HEADER_BYTES, sectionsAt, 0]);
  put(40, [
    HEADER_BYTES | (PROGRAM_HEADER_BYTES << 16),
    1 | (SECTION_HEADER_BYTES << 16),
    SECTIONS | (STRINGS << 16),
  ]);
  put(HEADER_BYTES, [PT_LOAD, 0, first, first, 0, length, READ_EXECUTE, 1]);
  let nameAt = SECTION_NAMES.length;
  symbols.forEach((symbol, place) => {
    put(symbolsAt + (place + 1) * SYMBOL_BYTES, [
      nameAt,
      symbol.address,
      symbol.end - symbol.address,
      GLOBAL_FUNCTION | (TEXT << 16),
    ]);
    nameAt += names[place].length + 1;
  });
  bytes.set(strings, stringsAt);
  const section = (number: number, name: string, words: readonly number[]): void =>
    put(sectionsAt + number * SECTION_HEADER_BYTES, [SECTION_NAMES.indexOf(name), ...words]);
  section(TEXT, '.text', [SHT_NOBITS, ALLOC_EXECUTE, first, 0, length, 0, 0, 1, 0]);
  section(2, '.symtab', [SHT_SYMTAB, 0, 0, symbolsAt, symbolBytes, STRINGS, 1, 4, SYMBOL_BYTES]);
  section(STRINGS, '.strtab', [SHT_STRTAB, 0, 0, stringsAt, strings.length, 0, 0, 1, 0]);
  return bytes;
}
