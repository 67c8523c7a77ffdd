/**
 * A state's fingerprint: equal for equal states however they were reached (through checkpoints,
 * single steps, any engine), and all but surely different otherwise.
 *
 * RAM is hashed by pages, and only those that were written since the last digest are hashed again. The
 * sum of the pages' hashes does not depend on their order, and a page of zeros adds nothing.
 */
import { createHash } from 'node:crypto';
import type { Machine } from '../machine/machine.js';
import { WrittenPages } from './written-pages.js';

const PAGE_WORDS = 1024;
/** Characters of a digest: 128 bits in hexadecimal. */
export const DIGEST_LENGTH = 32;

/** Computes digests of one machine's state. */
export class StateDigest {
  readonly #machine: Machine;
  readonly #written: WrittenPages;
  readonly #words: Int32Array;
  /** Two words for each page: its part of the two sums. */
  readonly #pages: Uint32Array;
  readonly #sums = new Uint32Array(2);
  #hashedPages = 0;

  constructor(machine: Machine) {
    const { physical } = machine.cpu.core;
    this.#machine = machine;
    this.#written = new WrittenPages(physical);
    this.#words = new Int32Array(
      physical.ram.buffer,
      physical.ram.byteOffset,
      physical.ramBytes >> 2,
    );
    this.#pages = new Uint32Array((physical.ramBytes >>> 12) * 2);
  }

  /** How many pages the last digest had to hash. */
  get hashedPages(): number {
    return this.#hashedPages;
  }

  /** The digest of the present state: DIGEST_LENGTH lower-case hexadecimal digits. */
  compute(): string {
    this.#hashedPages = 0;
    this.#written.look((page) => this.#update(page));
    const { cpu, devices } = this.#machine;
    const hash = createHash('sha256');
    hash.update(Float64Array.of(cpu.instant, cpu.retired, this.#sums[0], this.#sums[1]));
    hash.update(cpu.architecturalState());
    for (const device of devices) {
      const state = Float64Array.from(device.save());
      // The length keeps one device's last words from passing for the next one's first.
      hash.update(`${device.name}:${state.length};`).update(state);
    }
    return hash.digest('hex').slice(0, DIGEST_LENGTH);
  }

  #update(page: number): void {
    this.#hashedPages += 1;
    let a = 0;
    let b = 0;
    let seen = 0;
    const words = this.#words;
    const end = (page + 1) * PAGE_WORDS;
    for (let at = page * PAGE_WORDS; at < end; at++) {
      const word = words[at];
      seen |= word;
      a = Math.imul(a ^ word, 0x9e3779b1);
      a ^= a >>> 15;
      b = (Math.imul(b, 0x85ebca77) + word) | 0;
      b = (b << 13) | (b >>> 19);
    }
    // The page's number goes in, else two pages could change places unseen.
    const first = seen === 0 ? 0 : avalanche(a ^ Math.imul(page + 1, 0xc2b2ae3d));
    const second = seen === 0 ? 0 : avalanche(b + Math.imul(page + 1, 0x27d4eb2f));
    this.#sums[0] += first - this.#pages[page * 2];
    this.#sums[1] += second - this.#pages[page * 2 + 1];
    this.#pages[page * 2] = first;
    this.#pages[page * 2 + 1] = second;
  }
}

/** Spreads each bit of a word over all 32; unsigned. The finalizer of MurmurHash3. */
function avalanche(word: number): number {
  let z = word;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
