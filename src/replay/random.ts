/**
 * A seeded generator of random numbers, the same on every host: xoshiro128**, its state filled by
 * splitmix32. Blackman and Vigna, "Scrambled linear pseudorandom number generators".
 */

/** A stream of random numbers that its seed alone decides. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed 32 bits; any higher ones are dropped. */
  constructor(seed: number) {
    let counter = seed | 0;
    const splitmix = (): number => {
      counter = (counter + 0x9e3779b9) | 0;
      let z = counter;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return z ^ (z >>> 16);
    };
    this.#a = splitmix();
    this.#b = splitmix();
    this.#c = splitmix();
    // Not all four may be zero; splitmix32 yields zero for one counter alone.
    this.#d = splitmix();
  }

  /** A whole number from 0 to 2^32 - 1. */
  next(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** A number from 0 up to but not 1, in steps of 2^-32. */
  fraction(): number {
    return this.next() / 0x100000000;
  }

  /** A whole number from 0 to `bound` - 1. @param bound from 1 to 2^32. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }
}
