/** The opcode maps, one- and two-byte opcodes together: what each level of processor has. */
import { CPU_LEVELS, type CpuLevel } from '../model.js';
import { ud } from '../system/undocumented.js';
import { ONE_BYTE } from './one-byte.js';
import { makeOpcodeMap, type OpcodeMap, type OpcodeRows, rare } from './opcode-map.js';
import { TWO_BYTE } from './two-byte.js';

interface Introduction {
  readonly level: CpuLevel;
  readonly first: number;
  readonly last: number;
  /** ModRM's reg, where only that row of a group is meant. */
  readonly reg?: number;
}

// biome-ignore format: table
/** What came after the 386. Intel SDM vol. 3B §22.13 to §22.15. */
const INTRODUCTIONS: readonly Introduction[] = [
  { level: 486, first: 0x0f01, last: 0x0f01, reg: 7 }, // INVLPG
  { level: 486, first: 0x0f08, last: 0x0f09 },         // INVD, WBINVD
  { level: 486, first: 0x0fb0, last: 0x0fb1 },         // CMPXCHG
  { level: 486, first: 0x0fc0, last: 0x0fc1 },         // XADD
  { level: 486, first: 0x0fc8, last: 0x0fcf },         // BSWAP
  { level: 586, first: 0x0f30, last: 0x0f32 },         // WRMSR, RDTSC, RDMSR
  { level: 586, first: 0x0fa2, last: 0x0fa2 },         // CPUID
  { level: 586, first: 0x0fc7, last: 0x0fc7 },         // CMPXCHG8B
  { level: 686, first: 0x0f0d, last: 0x0f0d },         // hint NOPs
  { level: 686, first: 0x0f18, last: 0x0f1f },
  { level: 686, first: 0x0f33, last: 0x0f35 },         // RDPMC, SYSENTER, SYSEXIT
  { level: 686, first: 0x0f40, last: 0x0f4f },         // CMOVcc
  { level: 686, first: 0x0fae, last: 0x0fae },         // FXSAVE, FXRSTOR
];

/** The rows of an opcode without those that a level lacks. */
function rowsOf(opcode: number, rows: OpcodeRows, level: CpuLevel): OpcodeRows | null {
  const lacks = INTRODUCTIONS.filter(
    (row) => level < row.level && opcode >= row.first && opcode <= row.last,
  );
  if (lacks.some(({ reg }) => reg === undefined)) return null;
  if ('mnemonic' in rows) return rows;
  return rows.map((row, reg) => (lacks.some((lack) => lack.reg === reg) ? null : row));
}

const undefinedEncoding = rare('(undefined)', '', ud);

function mapOf(level: CpuLevel): OpcodeMap {
  const tables: (readonly [number, OpcodeRows])[] = [];
  for (const [opcode, rows] of [...ONE_BYTE, ...TWO_BYTE]) {
    const kept = rowsOf(opcode, rows, level);
    if (kept !== null) tables.push([opcode, kept]);
  }
  return makeOpcodeMap(tables, undefinedEncoding);
}

const MAPS = new Map(CPU_LEVELS.map((level) => [level, mapOf(level)]));

/** All that is built. */
export const I386 = opcodeMapOf(686);

/** The opcode map of a level of processor. */
export function opcodeMapOf(level: CpuLevel): OpcodeMap {
  const map = MAPS.get(level);
  if (map === undefined) throw new RangeError(`no processor of level ${level}`);
  return map;
}
