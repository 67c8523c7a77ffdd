/** Watchpoints on linear memory, as the processor's accesses meet them. */
import type { AccessKind, AccessWatch } from '../cpu/mmu.js';

/** Which accesses a watchpoint stops at; `access` is either. */
export type WatchAccess = 'read' | 'write' | 'access';

/** A range of linear addresses. */
export interface Watchpoint {
  /** Linear address, unsigned. */
  readonly address: number;
  /** Bytes, at least 1. */
  readonly length: number;
  readonly access: WatchAccess;
}

/** A set of watchpoints that remembers the first one hit since `clear`. */
export class WatchSet implements AccessWatch {
  readonly pages: ReadonlySet<number>;
  readonly #watchpoints: readonly Watchpoint[];
  readonly #onHit: () => void;
  #hit: Watchpoint | null = null;

  /** @param onHit called at the first hit, in the middle of an instruction. */
  constructor(watchpoints: readonly Watchpoint[], onHit: () => void) {
    const pages = new Set<number>();
    for (const { address, length } of watchpoints) {
      for (let page = address >>> 12; page <= (address + length - 1) / 4096; page++) {
        pages.add(page & 0xfffff);
      }
    }
    this.pages = pages;
    this.#watchpoints = watchpoints;
    this.#onHit = onHit;
  }

  /** The first watchpoint that was hit since `clear`, or null. */
  get firstHit(): Watchpoint | null {
    return this.#hit;
  }

  clear(): void {
    this.#hit = null;
  }

  hit(linear: number, size: number, kind: AccessKind): void {
    if (this.#hit !== null) return;
    for (const watchpoint of this.#watchpoints) {
      if (watchpoint.access !== 'access' && watchpoint.access !== kind) continue;
      // Distances modulo 2^32, since an access may wrap around the end of the address space.
      const before = (watchpoint.address - linear) >>> 0;
      const after = (linear - watchpoint.address) >>> 0;
      if (before >= size && after >= watchpoint.length) continue;
      this.#hit = watchpoint;
      this.#onHit();
      return;
    }
  }
}
