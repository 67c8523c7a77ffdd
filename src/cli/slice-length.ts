/** How much work fits between two looks at the rest of the world. */

const WANTED_MILLISECONDS = 20;
const STEPS_LEAST = 1000;
const STEPS_MOST = 100_000_000;

/** Learns how many steps take about 20 ms. */
export class SliceLength {
  #steps = 10_000;

  get steps(): number {
    return this.#steps;
  }

  /** A slice of `steps` steps took so long. */
  took(milliseconds: number): void {
    // At most twice or half as much: one slice says little about the next.
    const factor = Math.min(2, Math.max(0.5, WANTED_MILLISECONDS / Math.max(milliseconds, 0.1)));
    this.#steps = Math.min(STEPS_MOST, Math.max(STEPS_LEAST, Math.floor(this.#steps * factor)));
  }
}
