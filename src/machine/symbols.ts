/** The names of an image's addresses. */

/** A symbol as a loader found it. */
export interface SymbolEntry {
  /** Makes the name: most are never asked for. */
  readonly name: () => string;
  /** Unsigned. */
  readonly address: number;
  /** Where what it names ends; its own address where it names a mere number. */
  readonly end: number;
  /** Of several at one address the highest is shown. */
  readonly rank: number;
}

/** A symbol and the distance of an address from it. */
export interface SymbolLocation {
  readonly name: string;
  readonly offset: number;
}

/** Symbols by address and by name. */
export class SymbolTable {
  static readonly empty = new SymbolTable([]);

  /** Those that name a place, by address and then by rank. */
  readonly #places: readonly SymbolEntry[];
  readonly #entries: readonly SymbolEntry[];
  #byName: Map<string, number> | null = null;

  constructor(entries: readonly SymbolEntry[]) {
    this.#entries = entries;
    this.#places = entries
      .filter((entry) => entry.end > entry.address)
      .sort((a, b) => a.address - b.address || a.rank - b.rank);
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The highest address of a place, unsigned; 0 where there is none. */
  get highest(): number {
    return this.#places.at(-1)?.address ?? 0;
  }

  /** These symbols and more of them. */
  with(more: readonly SymbolEntry[]): SymbolTable {
    return new SymbolTable([...this.#entries, ...more]);
  }

  /** The symbol that an address belongs to, or null where there is none. Signed addresses are taken too. */
  lookup(address: number): SymbolLocation | null {
    const wanted = address >>> 0;
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#places[middle].address <= wanted) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return null;
    const entry = this.#places[low - 1];
    return wanted < entry.end ? { name: entry.name(), offset: wanted - entry.address } : null;
  }

  /** The address of a name, unsigned, or null. The first of several that share it. */
  address(name: string): number | null {
    if (this.#byName === null) {
      this.#byName = new Map();
      for (const entry of this.#entries) {
        const key = entry.name();
        if (!this.#byName.has(key)) this.#byName.set(key, entry.address);
      }
    }
    return this.#byName.get(name) ?? null;
  }
}
