/**
 * Where an image and what is handed to it lie in physical memory. Checks that parts lie in RAM, and
 * finds free room for those that may lie anywhere.
 */
import type { Machine } from '../machine.js';
import { formatMemory } from '../machine-options.js';
import { UserError } from '../user-error.js';
import { hex } from './image-bytes.js';

/** Physical addresses from `first` to before `end`. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

/** RAM below the hole in which video memory and ROMs lie ends here. */
export const LOW_MEMORY_END = 0xa0000;
/** RAM above the hole begins here. */
export const HIGH_MEMORY = 0x100000;
/** Real-mode vectors and the BIOS data area, which stay free. */
const LOW_MEMORY_FIRST = 0x1000;

/** The parts placed so far in one machine's RAM. */
export class MemoryPlan {
  readonly #machine: Machine;
  readonly #name: string;
  readonly #taken: Range[] = [];

  /** @param name the image's, for messages. */
  constructor(machine: Machine, name: string) {
    this.#machine = machine;
    this.#name = name;
  }

  /**
   * Takes a place that the image itself has chosen. Parts may overlap, as they may in an image.
   * @throws UserError unless all of it is RAM; `what` names the part.
   */
  take(first: number, length: number, what: string): void {
    const end = first + length;
    if (length === 0) return;
    if (end > this.#machine.memoryBytes) {
      const memory = formatMemory(this.#machine.memoryBytes);
      const needed = formatMemory(Math.ceil(end / (1 << 20)) * (1 << 20)).replace(' MiB', 'M');
      this.#fail(
        `${what} at ${hex(first)} (${length} bytes) reaches beyond ${memory} of RAM; give --memory ${needed} or more`,
      );
    }
    if (first < HIGH_MEMORY && end > LOW_MEMORY_END) {
      this.#fail(
        `${what} at ${hex(first)} (${length} bytes) reaches into the hole between 640 KiB and 1 MiB, where no RAM is; link it elsewhere`,
      );
    }
    this.#taken.push({ first, end });
  }

  /**
   * Finds room for `length` bytes, the lowest that is free, and takes it.
   * @param lowest where to begin to look.
   * @returns the physical address, or -1 where there is no room.
   */
  find(length: number, alignment: number, lowest = LOW_MEMORY_FIRST): number {
    const regions = [
      { first: LOW_MEMORY_FIRST, end: LOW_MEMORY_END },
      { first: HIGH_MEMORY, end: this.#machine.memoryBytes },
    ];
    for (const region of regions) {
      let at = Math.max(region.first, lowest);
      for (;;) {
        at = Math.ceil(at / alignment) * alignment;
        const end = at + length;
        if (end > region.end) break;
        const start = at;
        const obstacle = this.#taken.find((range) => range.first < end && range.end > start);
        if (obstacle === undefined) {
          this.#taken.push({ first: at, end });
          return at;
        }
        at = obstacle.end;
      }
    }
    return -1;
  }

  /** As `find`. @throws UserError where there is no room; `what` names the part. */
  place(length: number, alignment: number, what: string, lowest?: number): number {
    const at = this.find(length, alignment, lowest);
    if (at < 0) {
      const memory = formatMemory(this.#machine.memoryBytes);
      this.#fail(`no room for ${what} (${length} bytes) in ${memory} of RAM; give --memory more`);
    }
    return at;
  }

  /** The first address above 1 MiB behind everything that was taken there. */
  get highEnd(): number {
    return this.#taken.reduce((end, range) => Math.max(end, range.end), HIGH_MEMORY);
  }

  #fail(message: string): never {
    throw new UserError(`${this.#name}: ${message}`);
  }
}
