/**
 * Page-table updates: which pages the guest has registered as tables, and stores that wait.
 *
 * A store that may be deferred waits while lazy mode 1 lasts, up to the next trap of any kind that is no
 * such store itself, or to the next event. Elsewhere it is done at once.
 */
import type { Core } from '../../cpu/core.js';

/** Of an update's flags: the address space is the active one; it may be queued. */
const CURRENT_AS = 0x10;
const DEFER = 0x20;
const PAGE_SHIFT = 12;
const WORD = 4;
/** Stores that wait at most. A longer queue is a guest that never looks at what it wrote. */
const QUEUE_MOST = 128;

/** No lazy mode, and those that there are. */
export const LAZY_OFF = 0;
export const LAZY_MMU = 1;
export const LAZY_CPU = 2;

/** A store of four bytes, or of eight where `high` isn't null. */
interface Store {
  /** Physical address. */
  readonly at: number;
  readonly low: number;
  readonly high: number | null;
}

export class PageUpdates {
  lazyMode = LAZY_OFF;
  readonly #core: Core;
  readonly #tables = new Map<number, number>();
  #queue: Store[] = [];

  constructor(core: Core) {
    this.#core = core;
  }

  /** How many stores wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** AllocatePage. @returns false of a page that is no RAM. */
  register(page: number, flags: number): boolean {
    if (page >>> 0 >= this.#core.physical.pageFlags.length) return false;
    this.#tables.set(page, flags);
    return true;
  }

  /** ReleasePage. @returns whether it was registered. */
  release(page: number): boolean {
    return this.#tables.delete(page);
  }

  isRegistered(page: number): boolean {
    return this.#tables.has(page);
  }

  /** A store with these flags would wait now. */
  mayWait(flags: number): boolean {
    const both = CURRENT_AS | DEFER;
    return this.lazyMode === LAZY_MMU && (flags & both) === both;
  }

  /**
   * SetPxE and SetPxELong: stores an entry, or queues that.
   * @param entry linear address.
   * @returns the physical page of the table.
   * @throws fault #PF, with nothing changed.
   */
  store(entry: number, low: number, high: number | null, flags: number): number {
    const { mmu } = this.#core;
    const isPresent = (low & 1) !== 0;
    mmu.probeWrite(entry, WORD, false);
    if (high !== null) mmu.probeWrite((entry + WORD) | 0, WORD, false);
    const at = mmu.peek(entry >>> 0);
    // An entry across two pages is none that a processor could use.
    const isWhole = (entry & 0xfff) <= 0x1000 - (high === null ? WORD : 2 * WORD);
    if (this.mayWait(flags) && isWhole) {
      this.#queue.push({ at, low, high });
      if (this.#queue.length === QUEUE_MOST) this.drain();
    } else {
      this.drain();
      // Another processor must not see a present entry that is half old: its low half goes last, or first.
      if (high === null) mmu.write(entry, WORD, low, false);
      else if (isPresent) {
        mmu.write((entry + WORD) | 0, WORD, high, false);
        mmu.write(entry, WORD, low, false);
      } else {
        mmu.write(entry, WORD, low, false);
        mmu.write((entry + WORD) | 0, WORD, high, false);
      }
    }
    return at >>> PAGE_SHIFT;
  }

  /** Carries out what waits, in order. */
  drain(): void {
    if (this.#queue.length === 0) return;
    const queue = this.#queue;
    this.#queue = [];
    const { physical } = this.#core;
    for (const { at, low, high } of queue) {
      if (high !== null) physical.write(at + WORD, WORD, high);
      physical.write(at, WORD, low);
    }
  }

  save(): number[] {
    return [
      this.lazyMode,
      this.#queue.length,
      ...this.#queue.flatMap(({ at, low, high }) => [at, low, high === null ? 0 : 1, high ?? 0]),
      this.#tables.size,
      ...[...this.#tables].flat(),
    ];
  }

  /** @throws Error on words that `save` can't have given. */
  restore(words: readonly number[]): void {
    const waiting = words[1];
    const tablesAt = 2 + waiting * 4;
    const tables = words[tablesAt];
    if (!(waiting >= 0) || words.length !== tablesAt + 1 + tables * 2) {
      throw new Error('the state of the page-table updates is of another length');
    }
    this.lazyMode = words[0];
    this.#queue = Array.from({ length: waiting }, (_, index) => {
      const [at, low, isLong, high] = words.slice(2 + index * 4);
      return { at, low, high: isLong === 0 ? null : high };
    });
    this.#tables.clear();
    for (let at = tablesAt + 1; at < words.length; at += 2) {
      this.#tables.set(words[at], words[at + 1]);
    }
  }
}
