/**
 * One i386 processor: state, memory and instructions behind the few calls that a machine needs.
 *
 * `run` is where time passes. Between two instructions it looks at what may come there, in the order
 * of the manual's table of priorities (Intel SDM vol. 3A, table 6-2): traps of the last instruction,
 * NMI, interrupts, instruction breakpoints, then the instruction with its own faults. While nothing of
 * that can happen the engine runs by itself, for as many steps as its budget says.
 */
import type { CpuBus, Mmio } from './bus.js';
import { DR6_BS } from './control-registers.js';
import { Core } from './core.js';
import { DebugBreakpoints } from './debug-breakpoints.js';
import { EFLAGS_IF, EFLAGS_RF, EFLAGS_TF } from './eflags.js';
import { Engine, type EngineKind } from './engine/engine.js';
import { HOT_ENTRIES } from './engine/hot-code.js';
import { fault, VECTOR_BP, VECTOR_DB, VECTOR_NMI, VECTOR_OF } from './fault.js';
import { type AccessWatch, Mmu } from './mmu.js';
import { type CpuLevel, type CpuVendor, modelOf } from './model.js';
import { PhysicalMemory } from './physical-memory.js';
import { resetState } from './reset.js';
import { architecturalBytes, checkForeignState, restoreState, saveState } from './snapshot.js';
import { State } from './state.js';
import * as L from './state-layout.js';
import { type DeliveryKind, deliver } from './system/delivery.js';

/**
 * Why `run` returned. until: the instant is reached. halted: HLT, and nothing that is there now can end
 * it. shutdown: a triple fault. breakpoint: EIP is at one of `breakpoints`. stopped: `requestStop`.
 */
export type RunExit = 'until' | 'halted' | 'shutdown' | 'breakpoint' | 'stopped';

/** Told of each delivery just before it happens; `instant` is still the boundary's. */
export type DeliveryObserver = (
  vector: number,
  kind: DeliveryKind,
  eip: number,
  cpl: number,
  shadow: number,
) => void;

const WASM_PAGE = 65536;
/** Steps that fit the budget's signed word. */
const MAX_BUDGET = 0x3fffffff;
/** INT3, INT n, INTO, INT1: where they enter a handler, TF is cleared and makes no trap. */
const SOFTWARE_INTERRUPTS = new Set([0xcc, 0xcd, 0xce, 0xf1]);

/** What may be chosen of a processor. */
export interface CpuOptions {
  /** No choice shows in the guest or in an instant. */
  readonly engine?: EngineKind;
  /** Entries after which `auto` compiles a block. */
  readonly hotEntries?: number;
  /** Which processor it is: 686 unless told otherwise. */
  readonly level?: CpuLevel;
  /** Whose it is: Intel's unless told otherwise. */
  readonly vendor?: CpuVendor;
}

export class Cpu {
  readonly core: Core;
  /** Called just before each delivery; it must not change the guest. */
  onDelivery: DeliveryObserver | null = null;

  readonly #engine: Engine;
  readonly #debug: DebugBreakpoints;
  #stopRequested = false;

  /**
   * @param ramBytes a multiple of 64 KiB.
   * @param mmio physical addresses that are not RAM.
   */
  constructor(ramBytes: number, mmio: Mmio, bus: CpuBus, options: CpuOptions = {}) {
    const pages = Math.ceil((L.RAM_BASE + ramBytes) / WASM_PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const state = new State(memory);
    const physical = new PhysicalMemory(state, ramBytes, mmio);
    const mmu = new Mmu(state, physical);
    const model = modelOf(options.level ?? 686, options.vendor);
    this.core = new Core(state, physical, mmu, bus, model);
    this.#engine = new Engine(
      this.core,
      pages,
      options.engine ?? 'auto',
      options.hotEntries ?? HOT_ENTRIES,
    );
    this.#debug = new DebugBreakpoints(this.core);
    this.reset();
  }

  /** The number of steps since reset. */
  get instant(): number {
    return this.core.instant;
  }

  /** Instructions retired since reset: guest time counts these. */
  get retired(): number {
    return this.core.instant - this.core.state.f64[L.UNRETIRED >> 3];
  }

  /** An interrupt could end HLT: EFLAGS.IF, or what a hypervisor has in its place. */
  get acceptsInterrupts(): boolean {
    const { interceptor, state } = this.core;
    if (interceptor !== null) return interceptor.acceptsInterrupts;
    return (state.get(L.FLAG_SYSTEM) & EFLAGS_IF) !== 0;
  }

  /** Linear addresses, unsigned, before which `run` stops. */
  get breakpoints(): ReadonlySet<number> {
    return this.#engine.breakpoints;
  }
  set breakpoints(breakpoints: ReadonlySet<number>) {
    this.#engine.breakpoints = breakpoints;
  }

  /** Whom a debugger outside the guest has told of data accesses; unseen by the guest. */
  get accessWatch(): AccessWatch | null {
    return this.#debug.observer;
  }
  set accessWatch(watch: AccessWatch | null) {
    this.#debug.observer = watch;
  }

  /** The state after RESET, at instant 0. RAM keeps its content. Intel SDM vol. 3A, table 9-1. */
  reset(): void {
    this.core.isExecuting = false;
    resetState(this.core);
    this.#engine.clear();
    this.#stopRequested = false;
  }

  /** Drops what is decoded and compiled: all of it is cache. */
  dropCode(): void {
    this.#engine.clear();
  }

  /** Level of the INTR pin. */
  setInterruptLine(level: boolean): void {
    this.core.state.set(L.INTR, level ? 1 : 0);
    if (level) this.core.attention();
  }

  /** An edge at the NMI pin. It is kept until it can be delivered. */
  raiseNmi(): void {
    this.core.state.set(L.NMI_PENDING, 1);
    this.core.attention();
  }

  /** Has `run` return `stopped` when the present instruction is done. */
  requestStop(): void {
    this.#stopRequested = true;
    this.core.attention();
  }

  /**
   * Delivers an exception at this boundary, one step, as if the next instruction had caused it.
   * @param errorCode null where the vector pushes none. A #PF takes the CR2 that is there.
   */
  injectException(vector: number, errorCode: number | null): void {
    fault.cr2 = this.core.state.get(L.CR2);
    const kind = vector === VECTOR_BP || vector === VECTOR_OF ? 'trap' : 'fault';
    this.core.interceptor?.expectOutsideFault();
    this.#deliver(vector, errorCode ?? 0, kind);
  }

  /**
   * Lets time pass until an instant, or until something comes first that the caller must see to.
   * @param until an instant; not before the present one.
   * @param skipBreakpointHere execute the first instruction even where a breakpoint is on it.
   */
  run(until: number, skipBreakpointHere = false): RunExit {
    const { core } = this;
    const { state } = core;
    let skipsBreakpoint = skipBreakpointHere;
    for (;;) {
      if (this.#stopRequested) {
        this.#stopRequested = false;
        return 'stopped';
      }
      if (state.get(L.SHUTDOWN)) return 'shutdown';
      if (core.instant >= until) return 'until';
      if (this.#deliverPending()) {
        skipsBreakpoint = false;
        continue;
      }
      if (state.get(L.HALTED)) return 'halted';
      const isAtBreakpoint = this.#isAtBreakpoint();
      if (isAtBreakpoint && !skipsBreakpoint) return 'breakpoint';
      skipsBreakpoint = false;
      // Of a repeated instruction each iteration begins at the breakpoint.
      this.#execute(isAtBreakpoint ? core.instant + 1 : until);
    }
  }

  /** The processor as the manual knows it, flags worked out: what a digest takes. */
  architecturalState(): Uint8Array {
    return architecturalBytes(this.core);
  }

  /** Everything of the processor that a checkpoint needs, without RAM. */
  save(): Uint8Array {
    return saveState(this.core);
  }

  /** Puts back what `save` gave, and drops every cache. */
  restore(saved: Uint8Array): void {
    restoreState(this.core, saved);
    this.#debug.refresh();
    this.#stopRequested = false;
  }

  /**
   * As `restore`, of bytes that may not come from `save`.
   * @throws RangeError where they cannot, which leaves the state undefined until the next `restore`.
   */
  restoreForeign(saved: Uint8Array): void {
    checkForeignState(this.core, saved);
    this.restore(saved);
  }

  #isAtBreakpoint(): boolean {
    const { breakpoints } = this.#engine;
    if (breakpoints.size === 0) return false;
    const { state } = this.core;
    return breakpoints.has((state.eip + state.segmentBase(L.SEG_CS)) >>> 0);
  }

  /** Delivers what waits and may come at this boundary. True when it was a step. */
  #deliverPending(): boolean {
    const { core } = this;
    const { state } = core;
    const shadow = state.get(L.SHADOW);
    // MOV SS holds off debug traps, NMI and interrupts; STI interrupts alone. An NMI in the shadow
    // of STI may be held off or not, as the processor likes: here it is taken, and ends the shadow.
    if (shadow !== L.SHADOW_MOV_SS) {
      if (state.get(L.PENDING_DEBUG) !== 0) {
        this.#deliverDebugTrap();
        return true;
      }
      if (state.get(L.NMI_PENDING) !== 0 && state.get(L.NMI_BLOCKED) === 0) {
        const admission = core.interceptor?.admit('nmi') ?? 'deliver';
        if (admission === 'step') this.#countStep(core.instant);
        else if (admission === 'deliver') {
          state.set(L.NMI_PENDING, 0);
          this.#deliver(VECTOR_NMI, 0, 'nmi');
        }
        if (admission !== 'hold') return true;
      }
      if (
        shadow === L.SHADOW_NONE &&
        state.get(L.INTR) !== 0 &&
        (state.get(L.FLAG_SYSTEM) & EFLAGS_IF) !== 0
      ) {
        const admission = core.interceptor?.admit('interrupt') ?? 'deliver';
        if (admission === 'step') this.#countStep(core.instant);
        else if (admission === 'deliver') {
          this.#deliver(core.bus.acknowledgeInterrupt(), 0, 'interrupt');
        }
        return admission !== 'hold';
      }
    }
    return false;
  }

  /** #DB for what the last instruction did: single step, data breakpoints, a task's T bit. */
  #deliverDebugTrap(): void {
    const { state } = this.core;
    state.set(L.DR6, state.get(L.DR6) | state.get(L.PENDING_DEBUG));
    state.set(L.PENDING_DEBUG, 0);
    this.#deliver(VECTOR_DB, 0, 'trap');
  }

  /** Delivers an event at this boundary, which is one step. */
  #deliver(vector: number, errorCode: number, kind: DeliveryKind): void {
    const { core } = this;
    const { state } = core;
    this.onDelivery?.(vector, kind, state.eip, state.cpl, state.get(L.SHADOW));
    const instant = core.instant;
    deliver(core, vector, errorCode, kind, state.eip);
    this.#countStep(instant);
  }

  /** Counts a step that retired no instruction. @param instant of the boundary before it. */
  #countStep(instant: number): void {
    const { core } = this;
    const { state } = core;
    state.f64[L.UNRETIRED >> 3] += 1;
    state.set(L.BUDGET, 0);
    core.budgetEnd = instant + 1;
  }

  /** Executes instructions, one or more, until something must be looked at between two of them. */
  #execute(until: number): void {
    const { core } = this;
    const { state } = core;
    const instant = core.instant;
    const flags = state.get(L.FLAG_SYSTEM);
    const shadow = state.get(L.SHADOW);
    this.#debug.refresh();
    const watchesExecution = this.#debug.watchesExecution;
    const isSingle =
      watchesExecution || shadow !== L.SHADOW_NONE || (flags & (EFLAGS_TF | EFLAGS_RF)) !== 0;
    const pending = state.get(L.PENDING_DEBUG);
    try {
      // Behind MOV SS it is suppressed as if RF were set. Intel SDM vol. 3B §17.3.1.1.
      const isSuppressed = (flags & EFLAGS_RF) !== 0 || shadow === L.SHADOW_MOV_SS;
      if (watchesExecution && !isSuppressed) this.#checkExecutionBreakpoint();
      const record = this.#engine.recordAtEip();
      state.set(L.SHADOW, L.SHADOW_NONE);
      core.previousShadow = shadow;
      const unretired = state.f64[L.UNRETIRED >> 3];
      // An instruction that completes clears RF; those that load it (IRET, a task switch) do so after.
      if (flags & EFLAGS_RF) state.set(L.FLAG_SYSTEM, flags & ~EFLAGS_RF);
      core.budgetEnd = isSingle ? instant + 1 : until;
      state.set(L.BUDGET, Math.min(core.budgetEnd - instant, MAX_BUDGET));
      core.budgetEnd = instant + state.get(L.BUDGET);
      core.isExecuting = true;
      this.#engine.run(record);
      core.isExecuting = false;
      if (flags & EFLAGS_RF && state.f64[L.UNRETIRED >> 3] !== unretired) {
        // One iteration of a REP does not complete it.
        state.set(L.FLAG_SYSTEM, state.get(L.FLAG_SYSTEM) | EFLAGS_RF);
      }
      if (flags & EFLAGS_TF) this.#noteSingleStep(record);
    } catch (thrown) {
      if (thrown !== fault) throw thrown;
      this.#faulted(pending);
    }
  }

  /** An instruction began with TF set and has completed: #DB, unless it cast the shadow of MOV SS. */
  #noteSingleStep(record: number): void {
    const { state } = this.core;
    if (state.get(L.SHADOW) === L.SHADOW_MOV_SS) return;
    const entersHandler = SOFTWARE_INTERRUPTS.has(this.#engine.opcodeOf(record));
    if (entersHandler && (state.get(L.FLAG_SYSTEM) & EFLAGS_TF) === 0) return;
    state.set(L.PENDING_DEBUG, state.get(L.PENDING_DEBUG) | DR6_BS);
  }

  /** Takes the abandoned instruction out of the count, undoes what it did, and delivers its fault. */
  #faulted(pendingDebug: number): void {
    const { core } = this;
    const { state } = core;
    if (core.isExecuting) {
      state.set(L.BUDGET, state.get(L.BUDGET) + 1);
      core.isExecuting = false;
    }
    if (state.get(L.ESP_GUARD)) {
      state.set(L.ESP, state.get(L.SAVED_ESP));
      state.set(L.ESP_GUARD, 0);
    }
    state.set(L.PENDING_DEBUG, pendingDebug);
    const { vector, errorCode } = fault;
    this.#deliver(vector, errorCode, 'fault');
  }

  #checkExecutionBreakpoint(): void {
    const { state } = this.core;
    const linear = (state.eip + state.segmentBase(L.SEG_CS)) | 0;
    const bits = this.#debug.executionHit(linear);
    if (bits === 0) return;
    state.set(L.DR6, state.get(L.DR6) | bits);
    fault.vector = VECTOR_DB;
    fault.errorCode = 0;
    throw fault;
  }
}
