/**
 * The table of functions that records name by index: handlers, and compiled regions. It grows as it fills, since
 * every module that imports it pays for its length.
 */

/** How many entries the table grows by. */
const GROWTH = 1024;

export class FunctionTable {
  readonly table: WebAssembly.Table;
  #length: number;
  #next: number;
  readonly #free: number[] = [];

  /** @param reserved entries at its beginning that are given out to nobody. */
  constructor(reserved: number) {
    this.#length = GROWTH;
    this.#next = reserved;
    this.table = new WebAssembly.Table({ element: 'anyfunc', initial: GROWTH });
  }

  /** The index of an entry that nobody has. */
  reserve(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#next === this.#length) {
      this.table.grow(GROWTH);
      this.#length += GROWTH;
    }
    this.#next += 1;
    return this.#next - 1;
  }

  /** Gives an entry back. Its function stays until another one takes its place: it may be executing. */
  release(index: number): void {
    this.#free.push(index);
  }
}
