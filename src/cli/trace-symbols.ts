/** The symbols of a machine's kernel, and of the hypervisor under it. */
import { type Image, symbolsOf } from '../machine/loaders/image.js';
import { SymbolTable } from '../machine/symbols.js';
import type { Trace, TraceStart } from '../replay/trace-format.js';
import { type NamedCode, namedRegion, namedRom } from '../vmi/region-symbols.js';

/** Where kernels map all of memory that don't lie at their physical addresses. */
const DIRECT_MAP = 0xc0000000;

/**
 * For those who read a trace without running it. Empty where the kernel has none, or is missing in a
 * damaged trace.
 */
export function traceSymbols(trace: Trace): SymbolTable {
  const { machine } = trace.header;
  const kernel = imageOf(trace, 'kernel');
  const symbols = kernel === null ? SymbolTable.empty : symbolsOf(kernel);
  const codes = hypervisorCode(symbols, machine, imageOf(trace, 'vmi-rom'));
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

function imageOf(trace: Trace, role: string): Image | null {
  const place = trace.header.images.findIndex((image) => image.role === role);
  const image = place < 0 ? null : trace.image(place);
  if (!image?.isWhole) return null;
  return { name: trace.header.images[place].name, bytes: image.value };
}
