/**
 * Breakpoints as decoded code has to do with them: a block never runs across one. Blocks are cut by the
 * offset in the page, which is the same for every alias of the bytes, so what is decoded or compiled
 * from a page serves whoever comes by another address and has no breakpoint there.
 *
 * Cuts outlive their breakpoints. A debugger inserts the same few at every start and removes them at
 * every stop, and code that is cut once too often costs less than code made anew.
 */

/** Cuts without a breakpoint that are kept at the most. */
const MOST_IDLE_CUTS = 64;

/** What a change of the breakpoints has voided: nothing, the jump cache, all decoded code. */
export type Voided = 'nothing' | 'addresses' | 'code';

export class BreakpointSet {
  #addresses: ReadonlySet<number> = new Set();
  #cuts: ReadonlySet<number> = new Set();

  /** Linear addresses, unsigned, before which the run loop stops. */
  get addresses(): ReadonlySet<number> {
    return this.#addresses;
  }

  /** Offsets in their page at which blocks end: those of all breakpoints, and perhaps more. */
  get cuts(): ReadonlySet<number> {
    return this.#cuts;
  }

  /** Takes over the addresses. What the answer names must not be used any more. */
  replace(addresses: ReadonlySet<number>): Voided {
    const before = this.#addresses;
    if (before.size === addresses.size && [...addresses].every((each) => before.has(each))) {
      return 'nothing';
    }
    this.#addresses = new Set(addresses);
    const offsets = new Set([...addresses].map((address) => address & 0xfff));
    const isCut = [...offsets].every((offset) => this.#cuts.has(offset));
    if (isCut && this.#cuts.size - offsets.size <= MOST_IDLE_CUTS) return 'addresses';
    const cuts = new Set([...this.#cuts, ...offsets]);
    this.#cuts = cuts.size - offsets.size <= MOST_IDLE_CUTS ? cuts : offsets;
    return 'code';
  }
}
