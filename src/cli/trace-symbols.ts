/** The symbols of a trace's kernel, for those who read a trace without running it. */
import { symbolsOf } from '../machine/loaders/image.js';
import { SymbolTable } from '../machine/symbols.js';
import type { Trace } from '../replay/trace-format.js';

/** Empty where the kernel has none, or is missing in a damaged trace. */
export function traceSymbols(trace: Trace): SymbolTable {
  const place = trace.header.images.findIndex((image) => image.role === 'kernel');
  const image = place < 0 ? null : trace.image(place);
  if (!image?.isWhole) return SymbolTable.empty;
  return symbolsOf({ name: trace.header.images[place].name, bytes: image.value });
}
