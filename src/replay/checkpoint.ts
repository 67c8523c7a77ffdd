/**
 * Checkpoints: states of one machine that can be had back at once.
 *
 * The first one holds every page of RAM that isn't zero; each later one holds the pages whose bytes
 * differ from the one before it. A page's bytes at a checkpoint are thus those in the newest checkpoint
 * up to it that holds the page, and zeros where none does. A checkpoint may be put between two others
 * or taken away at any time.
 */
import type { Machine, MachineState } from '../machine/machine.js';
import { leastUseful } from './checkpoint-policy.js';
import { xorPages } from './checkpoint-record.js';
import type { Instant } from './instant.js';
import { WrittenPages } from './written-pages.js';

/** A state that can be restored. */
export interface Checkpoint {
  readonly at: Instant;
  /** How many events of the timeline lie before this state. */
  readonly events: number;
}

/** What a checkpoint takes. */
export interface CheckpointSize {
  readonly at: Instant;
  /** Pages of 4 KiB that it holds. */
  readonly pages: number;
}

interface Stored extends Checkpoint {
  readonly state: MachineState;
  /** Bytes by page number. They are never written once they are in here, so they may be shared. */
  readonly pages: Map<number, Uint8Array>;
}

const PAGE_BYTES = 4096;
const ZEROS = new Uint8Array(PAGE_BYTES);
/** What a checkpoint costs beside its pages, about. */
const STATE_BYTES = 8192;

/** How much memory checkpoints may take, and how many there may be. */
interface CheckpointLimits {
  readonly bytes: number;
  readonly count: number;
}

/** What the checkpoints of a timeline may take unless its user says otherwise. */
export const CHECKPOINT_BYTES = 512 << 20;
const COUNT_MOST = 400;

/** The checkpoints of one machine, in the order of their instants. */
export class Checkpoints {
  readonly #machine: Machine;
  readonly #limits: CheckpointLimits;
  readonly #written: WrittenPages;
  /** RAM as a buffer, which can be compared without making a view of each page. */
  readonly #ram: Buffer;
  readonly #list: Stored[] = [];
  /** The last one taken or restored: RAM differs from it in written pages alone. */
  #base: Stored | null = null;
  #bytes = 0;

  /**
   * @param bytes what they may take, in bytes of host memory. The first one and the present one are kept
   *   in any case.
   */
  constructor(machine: Machine, bytes = CHECKPOINT_BYTES, count = COUNT_MOST) {
    this.#machine = machine;
    this.#limits = { bytes, count };
    const { physical } = machine.cpu.core;
    this.#written = new WrittenPages(physical);
    this.#ram = Buffer.from(physical.ram.buffer, physical.ram.byteOffset, physical.ramBytes);
  }

  get count(): number {
    return this.#list.length;
  }

  /** About how many bytes of host memory they take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Each of them, in the order of their instants. */
  get sizes(): readonly CheckpointSize[] {
    return this.#list.map(({ at, pages }) => ({ at, pages: pages.size }));
  }

  /** The newest checkpoint at or before an instant, or null. */
  nearest(at: Instant): Checkpoint | null {
    const index = this.#after(at);
    return index === 0 ? null : this.#list[index - 1];
  }

  /**
   * Keeps the present state, which must be the one that the timeline has at this instant. Guest state
   * is unchanged.
   * @param events how many events of the timeline lie before this state.
   */
  take(events: number): void {
    const at = this.#machine.cpu.instant;
    const index = this.#after(at);
    const previous = index === 0 ? null : this.#list[index - 1];
    if (previous?.at === at) {
      this.#written.look(() => undefined);
      this.#base = previous;
      return;
    }
    const stored: Stored = { at, events, state: this.#machine.save(), pages: new Map() };
    const next = this.#list.at(index) ?? null;
    const { ram } = this.#machine.cpu.core.physical;
    this.#written.look((page) => {
      const before = this.#version(page, index - 1);
      if (this.#isInRam(page, before)) return;
      const start = page * PAGE_BYTES;
      this.#put(stored, page, ram.slice(start, start + PAGE_BYTES));
      if (next !== null && !next.pages.has(page)) this.#put(next, page, before);
    });
    this.#list.splice(index, 0, stored);
    this.#bytes += STATE_BYTES;
    this.#base = stored;
    this.#thin();
  }

  /**
   * Makes the machine's state that of a checkpoint, RAM included, whatever was done to it since.
   * @throws Error when the checkpoint isn't one of these any more.
   */
  restore(checkpoint: Checkpoint): void {
    const index = this.#after(checkpoint.at) - 1;
    const stored = this.#list.at(index);
    if (index < 0 || stored !== checkpoint || this.#base === null) {
      throw new Error(`no checkpoint at ${checkpoint.at}`);
    }
    const { physical } = this.#machine.cpu.core;
    const suspects = new Set<number>();
    this.#written.look((page) => suspects.add(page));
    const base = this.#list.indexOf(this.#base);
    for (let between = Math.min(base, index) + 1; between <= Math.max(base, index); between++) {
      for (const page of this.#list[between].pages.keys()) suspects.add(page);
    }
    for (const page of suspects) {
      const bytes = this.#version(page, index);
      if (!this.#isInRam(page, bytes)) physical.replace(page * PAGE_BYTES, bytes);
    }
    this.#machine.restore(stored.state);
    this.#written.look(() => undefined);
    this.#base = stored;
  }

  /**
   * Forgets the checkpoints after an instant: the run goes another way from there.
   * @param at not before the checkpoint that was taken or restored last.
   */
  dropAfter(at: Instant): void {
    for (const { pages } of this.#list.splice(this.#after(at))) {
      this.#bytes -= STATE_BYTES + pages.size * PAGE_BYTES;
    }
  }

  /**
   * By page number: the bytes in RAM XOR those at the first checkpoint, where they differ. Looks at all of
   * RAM.
   */
  differences(): Map<number, Uint8Array> {
    const found = new Map<number, Uint8Array>();
    const { ram } = this.#machine.cpu.core.physical;
    for (let page = 0; page * PAGE_BYTES < ram.length; page++) {
      const first = this.#version(page, 0);
      if (this.#isInRam(page, first)) continue;
      const start = page * PAGE_BYTES;
      found.set(page, xorPages(ram.subarray(start, start + PAGE_BYTES), first));
    }
    return found;
  }

  /** The index of the first checkpoint after an instant. */
  #after(at: Instant): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#list[middle].at <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A page's bytes at the checkpoint with this index; before the first one: zeros. */
  #version(page: number, index: number): Uint8Array {
    for (let at = index; at >= 0; at--) {
      const bytes = this.#list[at].pages.get(page);
      if (bytes !== undefined) return bytes;
    }
    return ZEROS;
  }

  #isInRam(page: number, bytes: Uint8Array): boolean {
    const start = page * PAGE_BYTES;
    return this.#ram.compare(bytes, 0, PAGE_BYTES, start, start + PAGE_BYTES) === 0;
  }

  #put(stored: Stored, page: number, bytes: Uint8Array): void {
    stored.pages.set(page, bytes);
    this.#bytes += PAGE_BYTES;
  }

  #thin(): void {
    while (this.#bytes > this.#limits.bytes || this.#list.length > this.#limits.count) {
      const cursor = this.#machine.cpu.instant;
      const keep = this.#base === null ? -1 : this.#list.indexOf(this.#base);
      const index = leastUseful(this.#list, cursor, keep);
      if (index === null) return;
      this.#remove(index);
    }
  }

  #remove(index: number): void {
    const [removed] = this.#list.splice(index, 1);
    const next = this.#list[index];
    for (const [page, bytes] of removed.pages) {
      if (next.pages.has(page)) this.#bytes -= PAGE_BYTES;
      else next.pages.set(page, bytes);
    }
    this.#bytes -= STATE_BYTES;
  }
}
