/** The symbols of a machine's kernel, and of the hypervisor under it. */
import { type Image, symbolsOf } from '../machine/loaders/image.js';
import { SymbolTable } from '../machine/symbols.js';
import type { TraceStart } from '../replay/trace-format.js';
import { type NamedCode, namedRegion, namedRom } from '../vmi/region-symbols.js';

/** Where kernels map all of memory that don't lie at their physical addresses. */
const DIRECT_MAP = 0xc0000000;

/**
 * For those who read a trace without running it. Empty where the kernel has none, or is not among the images.
 */
export function traceSymbols({
  machine,
  images,
}: Pick<TraceStart, 'machine' | 'images'>): SymbolTable {
  const kernel = images.find(({ role }) => role === 'kernel');
  const rom = images.find(({ role }) => role === 'vmi-rom') ?? null;
  const symbols = kernel === undefined ? SymbolTable.empty : symbolsOf(kernel);
  const codes = hypervisorCode(symbols, machine, rom);
  return symbols.with(codes.flatMap((code) => code.symbols));
}

/**
 * The hypervisor's code wherever a kernel may have it: a ROM at its physical address, and where Linux maps
 * that. The first is where this kernel seems to have it.
 * @param symbols the kernel's own.
 * @param rom of `--vmi rom`; null where there is none, or it is damaged.
 */
export function hypervisorCode(
  symbols: SymbolTable,
  { vmi, vmiIret = 'rollforward' }: TraceStart['machine'],
  rom: Image | null,
): NamedCode[] {
  if (vmi === 'inline') return [namedRegion(vmiIret)];
  if (vmi !== 'rom' || rom === null) return [];
  // A kernel without symbols is a Linux.
  const isHigh = symbols.size === 0 || symbols.highest >= DIRECT_MAP;
  const bases = isHigh ? [DIRECT_MAP, 0] : [0, DIRECT_MAP];
  return bases.map((base) => namedRom(rom, vmiIret, base));
}
