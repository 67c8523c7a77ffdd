/**
 * What every part of the processor works on: its state, its memory, its wires. Instructions' rare
 * parts are plain procedures over a `Core`; the run loop in cpu.ts drives them.
 */
import type { CpuBus } from './bus.js';
import { EFLAGS_IF, EFLAGS_RF, EFLAGS_TF } from './eflags.js';
import type { Interceptor } from './interceptor.js';
import type { Mmu } from './mmu.js';
import { type CpuModel, modelOf } from './model.js';
import type { PhysicalMemory } from './physical-memory.js';
import type { State } from './state.js';
import { BUDGET, FLAG_SYSTEM, INTR, SHADOW_NONE, TRANSFERS_WATCHED } from './state-layout.js';

/** The parts of one processor, without its instructions. */
export class Core {
  readonly state: State;
  readonly physical: PhysicalMemory;
  readonly mmu: Mmu;
  readonly bus: CpuBus;
  /** What this processor has of all that is built. */
  readonly model: CpuModel;
  /**
   * The instant at which BUDGET reaches zero. The present instant is this less BUDGET, less one while
   * an instruction is under way (it was taken from the budget already).
   */
  budgetEnd = 0;
  /** An instruction is being executed. */
  isExecuting = false;
  /**
   * What SHADOW was when the present instruction began: the run loop clears SHADOW before it executes
   * an instruction and leaves the old value here, since a second MOV SS in a row casts no shadow.
   */
  previousShadow = SHADOW_NONE;
  /** Drops every cached link from a linear address to decoded code. Set by the engine. */
  onCodeMapChange: () => void = () => undefined;

  #interceptor: Interceptor | null = null;
  #onUserEntry: (() => void) | null = null;
  #onIret: (() => void) | null = null;

  constructor(
    state: State,
    physical: PhysicalMemory,
    mmu: Mmu,
    bus: CpuBus,
    model: CpuModel = modelOf(686),
  ) {
    this.state = state;
    this.physical = physical;
    this.mmu = mmu;
    this.bus = bus;
    this.model = model;
  }

  /** Owns the descriptor tables in the guest's stead; null on bare hardware. */
  get interceptor(): Interceptor | null {
    return this.#interceptor;
  }
  set interceptor(interceptor: Interceptor | null) {
    this.#interceptor = interceptor;
    this.#noteWatchers();
  }

  /** Told that the present instruction or delivery enters CPL 3; it must not change the guest. */
  get onUserEntry(): (() => void) | null {
    return this.#onUserEntry;
  }
  set onUserEntry(listener: (() => void) | null) {
    this.#onUserEntry = listener;
    this.#noteWatchers();
  }

  /** Told of each IRET before it does anything; it must not change the guest. */
  get onIret(): (() => void) | null {
    return this.#onIret;
  }
  set onIret(listener: (() => void) | null) {
    this.#onIret = listener;
    this.#noteWatchers();
  }

  /** The number of steps since reset. During an instruction: the steps before it. */
  get instant(): number {
    return this.budgetEnd - this.state.get(BUDGET) - (this.isExecuting ? 1 : 0);
  }

  /**
   * Has the engine return to the run loop once the present instruction is done. Whoever changes what
   * the run loop looks at between instructions (IF, TF, the shadow, HLT, INTR, debug registers,
   * breakpoints) calls it; calling it too often costs time only.
   */
  attention(): void {
    this.budgetEnd -= this.state.get(BUDGET);
    this.state.set(BUDGET, 0);
  }

  /**
   * As `attention`, where EFLAGS ask for it as they are now: TF and RF have each instruction looked at,
   * IF lets in what waits already. (What begins to wait later calls for attention itself.)
   */
  attentionForFlags(): void {
    const { state } = this;
    const flags = state.get(FLAG_SYSTEM);
    const letsIn = (flags & EFLAGS_IF) !== 0 && state.get(INTR) !== 0;
    const isTraced = (flags & (EFLAGS_TF | EFLAGS_RF)) !== 0;
    if (letsIn || isTraced || this.interceptor !== null) this.attention();
  }

  #noteWatchers(): void {
    const isWatched =
      this.#interceptor !== null || this.#onUserEntry !== null || this.#onIret !== null;
    this.state.set(TRANSFERS_WATCHED, isWatched ? 1 : 0);
  }
}
