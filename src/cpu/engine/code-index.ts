/**
 * Where decoded code of one mode is, by physical address. Addresses are kept signed: V8 finds a small integer
 * in a map several times as fast as a number above 2^31.
 */

/** An instruction in two pages. */
export interface Crossing {
  readonly record: number;
  /** Physical address of its first byte in the second page, unsigned. */
  readonly second: number;
}

export class CodeIndex {
  /** First record of the block at an address. */
  readonly blocks = new Map<number, number>();
  /** Records of instructions that compiled code gives back. */
  readonly singles = new Map<number, number>();
  readonly crossings = new Map<number, Crossing>();
  /** Addresses in these maps by the page whose bytes they depend on. */
  readonly #pages = new Map<number, number[]>();

  /** Pages that code was decoded from. */
  get pages(): Iterable<number> {
    return this.#pages.keys();
  }

  /** Code at a physical address (signed) depends on the bytes of a page. */
  note(page: number, start: number): void {
    const starts = this.#pages.get(page);
    if (starts === undefined) this.#pages.set(page, [start]);
    else starts.push(start);
  }

  dropPage(page: number): void {
    for (const start of this.#pages.get(page) ?? []) {
      this.blocks.delete(start);
      this.singles.delete(start);
      this.crossings.delete(start);
    }
    this.#pages.delete(page);
  }

  clear(): void {
    this.blocks.clear();
    this.singles.clear();
    this.crossings.clear();
    this.#pages.clear();
  }
}
