/**
 * The breakpoints of DR0 to DR3, and the one observer (a debugger outside the guest) that shares the
 * Mmu's watch with them. Intel SDM vol. 3B §17.2.
 */
import type { Core } from './core.js';
import type { AccessKind, AccessWatch } from './mmu.js';
import { DR0, DR7, PENDING_DEBUG } from './state-layout.js';

const COUNT = 4;
/** Values of DR7's R/W field. */
const ON_EXECUTION = 0;
const ON_IO = 2;
const ON_READ_OR_WRITE = 3;
/** DR7's LEN field by its value; 2 is undefined on an i386 and taken as 8 by none we model. */
const LENGTHS = [1, 2, 8, 4];

interface Breakpoint {
  /** Its bit in DR6. */
  readonly bit: number;
  readonly kind: number;
  /** Aligned to its length. */
  readonly linear: number;
  readonly length: number;
}

export class DebugBreakpoints implements AccessWatch {
  readonly pages = new Set<number>();

  readonly #core: Core;
  #armed: readonly Breakpoint[] = [];
  #observer: AccessWatch | null = null;
  /** DR0 to DR3 and DR7 as `#armed` was made from them. */
  readonly #seen = new Int32Array(COUNT + 1);

  constructor(core: Core) {
    this.#core = core;
  }

  get observer(): AccessWatch | null {
    return this.#observer;
  }
  /** Also to be set again when the observer's pages change. */
  set observer(observer: AccessWatch | null) {
    this.#observer = observer;
    this.#watch();
  }

  /** Some instruction has a breakpoint: each must be looked at before it is executed. */
  get watchesExecution(): boolean {
    return this.#armed.some((breakpoint) => breakpoint.kind === ON_EXECUTION);
  }

  /** Takes over the debug registers where they have changed. */
  refresh(): void {
    const { state } = this.#core;
    let isChanged = false;
    for (let i = 0; i <= COUNT; i++) {
      const value = state.get(i === COUNT ? DR7 : DR0 + i * 4);
      if (this.#seen[i] !== value) isChanged = true;
      this.#seen[i] = value;
    }
    if (!isChanged) return;
    const armed: Breakpoint[] = [];
    for (let i = 0; i < COUNT; i++) {
      const control = this.#seen[COUNT];
      if ((control >> (i * 2)) & 3) {
        const length = LENGTHS[(control >> (18 + i * 4)) & 3];
        const linear = this.#seen[i] & -length;
        armed.push({ bit: 1 << i, kind: (control >> (16 + i * 4)) & 3, linear, length });
      }
    }
    this.#armed = armed;
    this.#watch();
  }

  /** DR6 bits of the execution breakpoints at the address. */
  executionHit(linear: number): number {
    let bits = 0;
    for (const breakpoint of this.#armed) {
      if (breakpoint.kind === ON_EXECUTION && breakpoint.linear === linear) bits |= breakpoint.bit;
    }
    return bits;
  }

  hit(linear: number, size: number, kind: AccessKind): void {
    this.#observer?.hit(linear, size, kind);
    for (const breakpoint of this.#armed) {
      if (!isData(breakpoint)) continue;
      if (kind === 'read' && breakpoint.kind !== ON_READ_OR_WRITE) continue;
      const first = (linear - breakpoint.linear) | 0;
      if (first >= breakpoint.length || first + size <= 0) continue;
      const { state } = this.#core;
      state.set(PENDING_DEBUG, state.get(PENDING_DEBUG) | breakpoint.bit);
      this.#core.attention();
    }
  }

  #watch(): void {
    this.pages.clear();
    for (const page of this.#observer?.pages ?? []) this.pages.add(page);
    for (const breakpoint of this.#armed) {
      if (isData(breakpoint)) this.pages.add(breakpoint.linear >>> 12);
    }
    const watch = this.pages.size > 0 ? this : null;
    if (watch !== null || this.#core.mmu.watch !== null) this.#core.mmu.watch = watch;
  }
}

function isData(breakpoint: Breakpoint): boolean {
  return breakpoint.kind !== ON_EXECUTION && breakpoint.kind !== ON_IO;
}
