/**
 * Takes a processor through a stream step by step, and looks after each step at all that must hold: one
 * instant a step, the invariants, and that a fault leaves registers and memory as before it.
 */
import type { Cpu, RunExit } from '../../src/cpu/cpu.js';
import { EFLAGS_NT, EFLAGS_RF, readEflags } from '../../src/cpu/eflags.js';
import { VECTOR_DB } from '../../src/cpu/fault.js';
import * as L from '../../src/cpu/state-layout.js';
import type { DeliveryKind } from '../../src/cpu/system/delivery.js';
import { type Course, drive } from './drive.js';
import { brokenInvariant } from './invariants.js';
import { RAM_BYTES } from './layout.js';

const NOT_COMPARED = new Set([
  ...[L.FLAG_RESULT, L.FLAG_AUX, L.FLAG_SYSTEM, L.BUDGET, L.SAVED_ESP, L.ESP_GUARD, L.SHADOW],
  // An NMI is unblocked by an IRET that faults, too.
  L.NMI_BLOCKED,
]);
const COMPARED = Array.from({ length: L.ARCHITECTURAL_END / 4 }, (_, i) => i * 4).filter(
  (offset) => !NOT_COMPARED.has(offset),
);
const ENTRY_ACCESSED_AND_DIRTY = 0x60;
const IRET = 0xcf;
const PREFIXES = [0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

/** How streams went, counted over all of them. */
export interface Tally {
  streams: number;
  steps: number;
  faults: number;
  shutdowns: number;
  halts: number;
  compiled: number;
}

export function hex(value: number): string {
  return (value >>> 0).toString(16);
}

export class StepChecker {
  readonly cpu: Cpu;
  readonly #tally: Tally;
  readonly #ram: Uint8Array;
  readonly #words: Int32Array;
  readonly #stateWords: Int32Array;
  readonly #ramBefore = new Uint8Array(RAM_BYTES);
  readonly #ramWordsBefore: Int32Array;
  readonly #before = new Int32Array(L.ARCHITECTURAL_END / 4);
  #eflagsBefore = 0;
  /** The present instruction is an IRET that switches tasks, be it from a task to itself. */
  #returnsToTask = false;
  #isObserving = false;
  #broken: string | null = null;

  /** Becomes the observer of the processor's deliveries. */
  constructor(cpu: Cpu, tally: Tally) {
    this.cpu = cpu;
    this.#tally = tally;
    const { physical, state } = cpu.core;
    this.#ram = physical.ram;
    this.#words = new Int32Array(this.#ram.buffer, L.RAM_BASE, RAM_BYTES / 4);
    this.#ramWordsBefore = new Int32Array(this.#ramBefore.buffer);
    this.#stateWords = state.i32.subarray(0, L.ARCHITECTURAL_END / 4);
    cpu.onDelivery = (vector, kind) => this.#delivered(vector, kind);
  }

  /** @returns what went wrong, with the instant, or null. */
  run(course: Course): string | null {
    const { cpu } = this;
    this.#broken = brokenInvariant(cpu.core);
    this.#isObserving = true;
    this.#ramBefore.set(this.#ram);
    try {
      const exit = drive(cpu, course, () => this.#step());
      if (exit === 'halted') this.#tally.halts += 1;
      else if (exit === 'shutdown') this.#tally.shutdowns += 1;
      else if (exit !== 'until') this.#broken ??= `the run ended by ${exit}`;
    } finally {
      this.#isObserving = false;
    }
    if (Buffer.compare(this.#ram, this.#ramBefore) !== 0) {
      this.#broken ??= 'a page was written that is not marked as written';
    }
    return this.#broken === null ? null : `@${cpu.instant}: ${this.#broken}`;
  }

  #step(): RunExit {
    const { cpu } = this;
    const { instant, retired } = cpu;
    const epoch = cpu.core.physical.beginEpoch();
    this.#before.set(this.#stateWords);
    this.#eflagsBefore = readEflags(cpu.core.state);
    this.#returnsToTask = (this.#eflagsBefore & EFLAGS_NT) !== 0 && this.#isIret();
    const exit = cpu.run(instant + 1);
    this.#takeWrittenPages(epoch);
    if (exit === 'until') {
      this.#tally.steps += 1;
      if (cpu.instant !== instant + 1) this.#broken ??= `the next instant is ${cpu.instant}`;
    } else if (cpu.instant > instant + 1) this.#broken ??= 'two steps in one';
    const retiring = cpu.retired - retired;
    if (retiring !== 0 && retiring !== 1) this.#broken ??= `${retiring} instructions retired`;
    // A shutdown may come in the middle of a task switch.
    if (exit !== 'shutdown') this.#broken ??= brokenInvariant(cpu.core);
    return this.#broken === null ? exit : 'stopped';
  }

  #takeWrittenPages(epoch: number): void {
    const { writtenEpoch } = this.cpu.core.physical;
    for (let page = 0; page < RAM_BYTES >> 12; page++) {
      if (writtenEpoch[page] !== epoch) continue;
      const at = page << 10;
      this.#ramWordsBefore.set(this.#words.subarray(at, at + 0x400), at);
    }
  }

  /** A fault is about to be delivered. */
  #delivered(vector: number, kind: DeliveryKind): void {
    if (kind !== 'fault' || !this.#isObserving) return;
    this.#tally.faults += 1;
    if (this.#broken !== null) return;
    const { state } = this.cpu.core;
    const task = (L.SEGMENTS + L.SEG_TR * L.SEGMENT_BYTES) >> 2;
    const before = this.#before;
    // A fault after a task switch is the new task's.
    if (before[task] !== state.i32[task]) return;
    if (this.#returnsToTask) return;
    const flags = (readEflags(state) ^ this.#eflagsBefore) & ~EFLAGS_RF;
    if (flags !== 0) this.#broken = `fault ${vector} changed flags ${hex(flags)}`;
    for (const offset of COMPARED) {
      if (state.get(offset) === before[offset >> 2]) continue;
      if (offset === L.DR6 && vector === VECTOR_DB) continue;
      this.#broken = `fault ${vector} changed the state at ${hex(offset)}h`;
    }
    if (Buffer.compare(this.#ram, this.#ramBefore) !== 0) this.#compareMemory(vector);
  }

  /**
   * Accessed and dirty bits of page tables may be set. An instruction that stores several values and
   * overwrites the entries that its own operands are mapped by may fault between two of them.
   */
  #compareMemory(vector: number): void {
    const hasPaging = this.cpu.core.state.cr0 < 0;
    let changed = '';
    for (let i = 0; i < RAM_BYTES / 4; i++) {
      const now = this.#words[i];
      const before = this.#ramWordsBefore[i];
      if (now === before) continue;
      const isSetOnly = (now & before) === before;
      if (hasPaging && isSetOnly && (now & ~before & ~ENTRY_ACCESSED_AND_DIRTY) === 0) continue;
      if (hasPaging && this.#isPageTable(i >> 10)) return;
      changed ||= `at ${hex(i * 4)}h from ${hex(before)} to ${hex(now)}`;
    }
    if (changed !== '') this.#broken = `fault ${vector} changed memory ${changed}`;
  }

  /** The page held page-table entries before the present instruction, of two levels or of three. */
  #isPageTable(page: number): boolean {
    const { state } = this.cpu.core;
    const directories = [state.get(L.CR3) >>> 12];
    for (let i = 0; i < 4; i++) directories.push(state.get(L.PDPTE0 + i * 4) >>> 12);
    if (directories.includes(page)) return true;
    return directories.some((directory) => {
      const first = directory << 10;
      const entries = this.#ramWordsBefore.subarray(first, first + 1024);
      return entries.some((entry) => (entry & 1) !== 0 && entry >>> 12 === page);
    });
  }

  #isIret(): boolean {
    const { state, mmu, physical } = this.cpu.core;
    const linear = state.segmentBase(L.SEG_CS) + state.eip;
    for (let i = 0; i < 15; i++) {
      const at = mmu.peek((linear + i) | 0);
      if (at < 0) return false;
      const byte = physical.read(at, 1);
      if (byte === IRET) return true;
      if (!PREFIXES.includes(byte)) return false;
    }
    return false;
  }
}
