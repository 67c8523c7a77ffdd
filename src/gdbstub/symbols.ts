/** Names for addresses, as the user knows them. */

/** The symbol table of an image is one. */
export interface Symbols {
  lookup(address: number): { readonly name: string; readonly offset: number } | null;
  address?(name: string): number | null;
}

/** `name+12`, or the address where it has no name. */
export function placeName(symbols: Symbols | null, linear: number): string {
  const found = symbols?.lookup(linear) ?? null;
  if (found === null) return `0x${linear.toString(16)}`;
  return found.offset === 0 ? found.name : `${found.name}+${found.offset}`;
}

/** A vector that waits: `vector 0x20`, `NMI`, or `-` where none does. */
export function describeVector(vector: number): string {
  if (vector < 0) return '-';
  return vector === 2 ? 'NMI' : `vector 0x${vector.toString(16)}`;
}
