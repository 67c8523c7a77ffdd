/**
 * One stream of random instructions: run step by step with all that must hold looked at after each,
 * then again as a whole and with caches dropped, which must come out the same.
 */
import { Cpu } from '../../src/cpu/cpu.js';
import { EFLAGS_NT, EFLAGS_RF, readEflags } from '../../src/cpu/eflags.js';
import { VECTOR_DB } from '../../src/cpu/fault.js';
import * as L from '../../src/cpu/state-layout.js';
import type { DeliveryKind } from '../../src/cpu/system/delivery.js';
import { Choices } from './choices.js';
import { brokenInvariant } from './invariants.js';
import { RAM_BYTES } from './layout.js';
import { World } from './world.js';

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

/** How streams went, counted over all of them. */
export interface Tally {
  streams: number;
  steps: number;
  faults: number;
  shutdowns: number;
  halts: number;
}

/** A processor on which one stream after the other is run. */
export class StreamRunner {
  readonly tally: Tally = { streams: 0, steps: 0, faults: 0, shutdowns: 0, halts: 0 };
  readonly #cpu: Cpu;
  readonly #ram: Uint8Array;
  readonly #words: Int32Array;
  readonly #stateWords: Int32Array;
  readonly #ramBefore = new Uint8Array(RAM_BYTES);
  readonly #ramWordsBefore: Int32Array;
  readonly #before = new Int32Array(L.ARCHITECTURAL_END / 4);
  readonly #start = new Uint8Array(RAM_BYTES);
  #eflagsBefore = 0;
  #isObserving = false;
  #broken: string | null = null;

  constructor() {
    this.#cpu = new Cpu(
      RAM_BYTES,
      {
        read: unmapped,
        write: () => undefined,
      },
      {
        readPort: unmapped,
        writePort: () => undefined,
        acknowledgeInterrupt: () => {
          this.#cpu.setInterruptLine(false);
          return 0x20;
        },
        readTimestamp: () => this.#cpu.instant,
      },
    );
    const { physical, state } = this.#cpu.core;
    this.#ram = physical.ram;
    this.#words = new Int32Array(this.#ram.buffer, L.RAM_BASE, RAM_BYTES / 4);
    this.#ramWordsBefore = new Int32Array(this.#ramBefore.buffer);
    this.#stateWords = state.i32.subarray(0, L.ARCHITECTURAL_END / 4);
    this.#cpu.onDelivery = (vector, kind) => this.#delivered(vector, kind);
  }

  /**
   * Runs the stream of a seed.
   * @returns what went wrong and at which instant, or null. What a processor of ours should never
   *   throw is reported the same way.
   */
  run(seed: number, steps: number): string | null {
    this.tally.streams += 1;
    try {
      return this.#run(seed, steps);
    } catch (thrown) {
      const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      return `@${this.#cpu.instant}: ${error}`;
    } finally {
      this.#isObserving = false;
    }
  }

  #run(seed: number, steps: number): string | null {
    const choices = new Choices(seed);
    new World(this.#cpu, choices).make();
    const irqAt = choices.below(2 * steps);
    const cpu = this.#cpu;
    this.#start.set(this.#ram);
    const state = cpu.save();
    const problem = this.#stepThrough(steps, irqAt);
    if (problem !== null) return problem;
    const end = this.#outcome();
    const ram = Buffer.from(this.#ram);
    for (const dropsCaches of seed % 8 === 0 ? [false, true] : [false]) {
      cpu.core.physical.load(0, this.#start);
      cpu.restore(state);
      this.#runAgain(steps, irqAt, dropsCaches);
      const how = dropsCaches ? 'with caches dropped' : 'in one run';
      const again = this.#outcome();
      if (again.text !== end.text || Buffer.compare(again.state, end.state) !== 0) {
        return `${how}: ${again.text}, step by step ${end.text}${differences(again.state, end.state)}`;
      }
      if (Buffer.compare(this.#ram, ram) !== 0) return `${how}: other memory at ${end.text}`;
    }
    return null;
  }

  #outcome(): { text: string; state: Uint8Array } {
    const { instant, retired } = this.#cpu;
    return { text: `@${instant}, ${retired} retired`, state: this.#cpu.architecturalState() };
  }

  #stepThrough(steps: number, irqAt: number): string | null {
    const cpu = this.#cpu;
    const { core } = cpu;
    this.#broken = brokenInvariant(core);
    this.#isObserving = true;
    this.#ramBefore.set(this.#ram);
    for (let step = 0; step < steps; step++) {
      if (step === irqAt) cpu.setInterruptLine(true);
      this.#before.set(this.#stateWords);
      this.#eflagsBefore = readEflags(core.state);
      const { retired } = cpu;
      const exit = cpu.run(step + 1);
      if (exit !== 'until') {
        if (exit === 'halted') this.tally.halts += 1;
        else if (exit === 'shutdown') this.tally.shutdowns += 1;
        else return `@${step}: ended by ${exit}`;
        if (cpu.instant > step + 1) return `@${step}: two steps in one`;
        break;
      }
      this.tally.steps += 1;
      this.#ramBefore.set(this.#ram);
      if (cpu.instant !== step + 1) return `@${step}: the next instant is ${cpu.instant}`;
      const retiring = cpu.retired - retired;
      if (retiring !== 0 && retiring !== 1) return `@${step}: retired ${retiring}`;
      this.#broken ??= brokenInvariant(core);
      if (this.#broken !== null) return `@${step}: ${this.#broken}`;
    }
    this.#isObserving = false;
    return this.#broken;
  }

  #runAgain(steps: number, irqAt: number, dropsCaches: boolean): void {
    const cpu = this.#cpu;
    if (irqAt < steps) {
      if (!this.#runTo(irqAt, dropsCaches)) return;
      cpu.setInterruptLine(true);
    }
    this.#runTo(steps, dropsCaches);
  }

  #runTo(until: number, dropsCaches: boolean): boolean {
    const cpu = this.#cpu;
    if (!dropsCaches) return cpu.run(until) === 'until';
    while (cpu.instant < until) {
      cpu.core.mmu.flush();
      cpu.breakpoints = new Set();
      if (cpu.run(cpu.instant + 1) !== 'until') return false;
    }
    return true;
  }

  /** A fault is about to be delivered: registers and memory are as before its instruction. */
  #delivered(vector: number, kind: DeliveryKind): void {
    if (kind !== 'fault' || !this.#isObserving) return;
    this.tally.faults += 1;
    if (this.#broken !== null) return;
    const { state } = this.#cpu.core;
    const task = (L.SEGMENTS + L.SEG_TR * L.SEGMENT_BYTES) >> 2;
    const before = this.#before;
    // A fault after a task switch is the new task's.
    if (before[task] !== state.i32[task]) return;
    if (this.#eflagsBefore & EFLAGS_NT && this.#isIret(before[L.EIP >> 2])) return;
    const flags = (readEflags(state) ^ this.#eflagsBefore) & ~EFLAGS_RF;
    if (flags !== 0) this.#broken = `fault ${vector} changed flags ${flags.toString(16)}`;
    for (const offset of COMPARED) {
      if (state.get(offset) === before[offset >> 2]) continue;
      if (offset === L.DR6 && vector === VECTOR_DB) continue;
      this.#broken = `fault ${vector} changed the state at ${offset.toString(16)}h`;
    }
    if (Buffer.compare(this.#ram, this.#ramBefore) !== 0) this.#compareMemory(vector);
  }

  /**
   * Accessed and dirty bits of page tables may be set. An instruction that stores several values and
   * overwrites the entries that its own operands are mapped by may fault between two of them.
   */
  #compareMemory(vector: number): void {
    const hasPaging = this.#cpu.core.state.cr0 < 0;
    for (let i = 0; i < RAM_BYTES / 4; i++) {
      const set = this.#words[i] & ~this.#ramWordsBefore[i];
      const cleared = this.#ramWordsBefore[i] & ~this.#words[i];
      if (cleared === 0 && (set & ~ENTRY_ACCESSED_AND_DIRTY) === 0 && (hasPaging || set === 0)) {
        continue;
      }
      if (hasPaging && this.#isPageTable(i >> 10)) return;
      this.#broken = `fault ${vector} changed memory at ${hex(i * 4)}h from ${hex(this.#ramWordsBefore[i])} to ${hex(this.#words[i])}`;
      return;
    }
  }

  /** The page held page-table entries before the present instruction. */
  #isPageTable(page: number): boolean {
    const directory = this.#cpu.core.state.get(L.CR3) >>> 12;
    if (page === directory) return true;
    const first = directory << 10;
    return this.#ramWordsBefore
      .subarray(first, first + 1024)
      .some((entry) => (entry & 1) !== 0 && entry >>> 12 === page);
  }

  #isIret(eip: number): boolean {
    const { state, mmu, physical } = this.#cpu.core;
    for (let i = 0; i < 15; i++) {
      const at = mmu.peek((state.segmentBase(L.SEG_CS) + eip + i) | 0);
      if (at < 0) return false;
      const byte = physical.read(at, 1);
      if (byte === IRET) return true;
      if (![0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65].includes(byte))
        return false;
    }
    return false;
  }
}

/** What is read where there is nothing: anything, but always the same. */
function unmapped(address: number, size: number): number {
  const value = Math.imul(address ^ (address >>> 9), 0x9e3779b1);
  if (size === 4) return value;
  return (value >>> 11) & (size === 2 ? 0xffff : 0xff);
}

function hex(value: number): string {
  return (value >>> 0).toString(16);
}

function differences(a: Uint8Array, b: Uint8Array): string {
  const found: string[] = [];
  const left = new DataView(a.buffer, a.byteOffset);
  const right = new DataView(b.buffer, b.byteOffset);
  for (let at = 0; at < a.length && found.length < 6; at += 4) {
    const [x, y] = [left.getUint32(at, true), right.getUint32(at, true)];
    if (x !== y) found.push(`${at.toString(16)}h ${x.toString(16)} ${y.toString(16)}`);
  }
  return found.length === 0 ? '' : `; state at ${found.join(', ')}`;
}
