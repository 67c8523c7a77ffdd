/**
 * The symbols of an ELF32 file: its .symtab with the strings that belong to it.
 *
 * Tool Interface Standard, Executable and Linking Format, version 1.2, "Symbol table".
 */
import { type SymbolEntry, SymbolTable } from '../symbols.js';
import type { ElfFile, Section } from './elf.js';
import { ImageReader } from './image-bytes.js';

const SYMBOL_BYTES = 16;
const SHT_SYMTAB = 2;
const SHN_UNDEFINED = 0;
/** Section numbers from here on are no sections. */
const SHN_RESERVED = 0xff00;
const SHN_ABSOLUTE = 0xfff1;
const STT_OBJECT = 1;
const STT_FUNCTION = 2;
const STT_SECTION = 3;
const STT_FILE = 4;
const STB_LOCAL = 0;
/** Longer names are cut: a name is for people to read. */
const NAME_BYTES_MOST = 512;

/** The symbols; empty where the file was stripped. @throws UserError when they are broken. */
export function elfSymbols(elf: ElfFile): SymbolTable {
  const sections = elf.sections();
  const table = sections.find((section) => section.type === SHT_SYMTAB);
  if (table === undefined) return SymbolTable.empty;
  const file = new ImageReader({ name: elf.name, bytes: elf.sectionBytes(table) });
  if (table.link >= sections.length) {
    file.fail(`.symtab names section ${table.link} of ${sections.length}; the image is broken`);
  }
  const names = elf.sectionBytes(sections[table.link]);
  const entries: SymbolEntry[] = [];
  // The first symbol stands for none.
  for (let at = SYMBOL_BYTES; at + SYMBOL_BYTES <= file.length; at += SYMBOL_BYTES) {
    const entry = readSymbol(file, at, sections, names);
    if (entry !== null) entries.push(entry);
  }
  return new SymbolTable(entries);
}

/** One symbol, or null where it names nothing in this file that has an address. */
function readSymbol(
  file: ImageReader,
  at: number,
  sections: readonly Section[],
  names: Uint8Array,
): SymbolEntry | null {
  const nameAt = file.u32(at, 'symbol');
  const address = file.u32(at + 4, 'symbol');
  const size = file.u32(at + 8, 'symbol');
  const type = file.bytes[at + 12] & 15;
  const binding = file.bytes[at + 12] >> 4;
  const section = file.u16(at + 14, 'symbol');
  if (type === STT_SECTION || type === STT_FILE || nameAt === 0 || nameAt >= names.length) {
    return null;
  }
  let end: number;
  if (section === SHN_ABSOLUTE) end = address;
  else if (section === SHN_UNDEFINED || section >= SHN_RESERVED) return null;
  else if (section >= sections.length) return null;
  else if (size > 0) end = address + size;
  else end = sections[section].address + sections[section].size;
  const isTyped = type === STT_FUNCTION || type === STT_OBJECT;
  return {
    name: () => nameIn(names, nameAt),
    address,
    end,
    rank: (isTyped ? 2 : 0) + (binding === STB_LOCAL ? 0 : 1),
  };
}

function nameIn(names: Uint8Array, at: number): string {
  const end = names.subarray(at, at + NAME_BYTES_MOST).indexOf(0);
  const length = end < 0 ? Math.min(NAME_BYTES_MOST, names.length - at) : end;
  return new TextDecoder().decode(names.subarray(at, at + length));
}
