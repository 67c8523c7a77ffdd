/** Places in a guest's code, as recipes and races name them: `symbol`, `symbol+5` (decimal), `0x000c8010`. */
import type { SymbolTable } from '../../../src/machine/symbols.js';

/** The linear address of a place, unsigned. @throws Error where the image has no such symbol. */
export function addressOf(symbols: SymbolTable, place: string): number {
  const match = /^(?:0x([\da-f]{8})|(\w+)(?:\+(\d+))?)$/.exec(place);
  if (match === null) throw new Error(`${place} is no place: symbol, symbol+5 or 0x000c8010`);
  const [, hex, name, offset = '0'] = match as (string | undefined)[];
  if (hex !== undefined) return Number.parseInt(hex, 16);
  const base = symbols.address(name!);
  if (base === null) throw new Error(`the image has no symbol ${name!}`);
  return base + Number(offset);
}

/** The shortest name of an address: that of the symbol it belongs to, else the number. */
export function placeOf(symbols: SymbolTable, address: number): string {
  const location = symbols.lookup(address);
  if (location === null) return `0x${(address >>> 0).toString(16).padStart(8, '0')}`;
  return location.offset === 0 ? location.name : `${location.name}+${location.offset}`;
}
