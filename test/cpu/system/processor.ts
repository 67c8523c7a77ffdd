/**
 * A processor for the tests of procedures: 256 KiB of RAM, flat protected mode at CPL 0, a GDT with one
 * descriptor of each kind that the tests name, and a bus that remembers what was asked of it.
 *
 * `execute` does what the run loop does around one instruction. It also checks, for every instruction
 * that faults, that nothing architectural and no byte of RAM has changed.
 */
import { expect } from 'vitest';
import type { AccessSize, CpuBus } from '../../../src/cpu/bus.js';
import { CR0_ET, CR0_PE, CR0_PG, CR0_WP, CR4_PSE } from '../../../src/cpu/control-registers.js';
import { Core } from '../../../src/cpu/core.js';
import type { Instruction } from '../../../src/cpu/decoder/instruction.js';
import { EFLAGS_RESERVED1, readEflags, writeEflags } from '../../../src/cpu/eflags.js';
import { fault } from '../../../src/cpu/fault.js';
import { Mmu } from '../../../src/cpu/mmu.js';
import { PhysicalMemory } from '../../../src/cpu/physical-memory.js';
import { setCpl, setSegment } from '../../../src/cpu/segmentation.js';
import { type SegmentIndex, State } from '../../../src/cpu/state.js';
import * as L from '../../../src/cpu/state-layout.js';
import type { Procedure } from '../../../src/cpu/system/procedure.js';
import { instruction } from '../support/instruction.js';

export { instruction };

const RAM_BYTES = 1 << 18;
export const GDT = 0x1000;
export const LDT = 0x1800;
export const TSS = 0x2000;
export const PAGE_DIRECTORY = 0x3000;
export const PAGE_TABLE = 0x4000;
export const DATA = 0x8000;
export const STACK = 0x9000;
export const CODE = 0x6800;

// Selectors of the GDT below.
export const CODE0 = 0x08;
export const DATA0 = 0x10;
export const CODE3 = 0x1b;
export const DATA3 = 0x23;
export const TSS32 = 0x28;
export const LDT0 = 0x30;
export const STACK16 = 0x38;
export const ABSENT = 0x40;
export const READ_ONLY = 0x48;
export const CONFORMING = 0x50;
export const EXECUTE_ONLY = 0x58;
export const CALL_GATE = 0x60;
export const INTERRUPT_GATE = 0x68;
export const TSS16 = 0x70;
export const TSS_BUSY = 0x78;
export const TASK_GATE = 0x80;
export const ABSENT_LDT = 0x88;
export const ABSENT_TSS = 0x90;
export const GDT_LIMIT = 0x97;

/** Selector, base, limit field, and the rights with the limit's upper four bits in place. */
// biome-ignore format: table
const DESCRIPTORS: readonly (readonly [number, number, number, number])[] = [
  [CODE0,          0,      0xfffff, 0xc09b],
  [DATA0,          0,      0xfffff, 0xc093],
  [CODE3,          0,      0xfffff, 0xc0fb],
  [DATA3,          0,      0xfffff, 0xc0f3],
  [TSS32,          TSS,    0x00167, 0x0089],
  [LDT0,           LDT,    0x0000f, 0x0082],
  [STACK16,        0,      0x0ffff, 0x0093],
  [ABSENT,         0,      0xfffff, 0xc013],
  [READ_ONLY,      0,      0x00fff, 0x40f1],
  [CONFORMING,     0,      0xfffff, 0xc09f],
  [EXECUTE_ONLY,   0,      0xfffff, 0xc0f9],
  [CALL_GATE,      0,      0x00000, 0x00ec],
  [INTERRUPT_GATE, 0,      0x00000, 0x00ee],
  [TSS16,          TSS,    0x0002b, 0x0081],
  [TSS_BUSY,       TSS,    0x00067, 0x008b],
  [TASK_GATE,      0,      0x00000, 0x00e5],
  [ABSENT_LDT,     LDT,    0x0000f, 0x0002],
  [ABSENT_TSS,     TSS,    0x00067, 0x0009],
];

export interface PortAccess {
  readonly kind: 'in' | 'out';
  readonly port: number;
  readonly size: AccessSize;
  readonly value: number;
}

export class TestBus implements CpuBus {
  /** What ports read as, the low bytes of it. */
  input = 0x11223344;
  timestamp = 0;
  timestampReads = 0;
  readonly accesses: PortAccess[] = [];

  readPort(port: number, size: AccessSize): number {
    const value = size === 4 ? this.input : this.input & ((1 << (size * 8)) - 1);
    this.accesses.push({ kind: 'in', port, size, value });
    return value;
  }
  writePort(port: number, size: AccessSize, value: number): void {
    this.accesses.push({ kind: 'out', port, size, value });
  }
  acknowledgeInterrupt(): number {
    throw new Error('no interrupt was raised');
  }
  readTimestamp(): number {
    this.timestampReads += 1;
    return this.timestamp;
  }
}

export type Outcome = 'done' | { readonly vector: number; readonly errorCode: number };

/** An instruction with a memory operand at DS:offset. */
export function atMemory(offset: number, fields: Partial<Instruction> = {}): Instruction {
  return instruction({ isMemory: true, displacement: offset, ...fields });
}

export class TestProcessor {
  readonly state: State;
  readonly core: Core;
  readonly bus = new TestBus();
  /** Calls of `attention`. */
  attentions = 0;

  constructor() {
    const pages = (L.RAM_BASE + RAM_BYTES) >> 16;
    this.state = new State(new WebAssembly.Memory({ initial: pages, maximum: pages }));
    const mmio = { read: () => -1, write: () => undefined };
    const physical = new PhysicalMemory(this.state, RAM_BYTES, mmio);
    this.core = new Core(this.state, physical, new Mmu(this.state, physical), this.bus);
    const attention = this.core.attention.bind(this.core);
    this.core.attention = () => {
      this.attentions += 1;
      attention();
    };
    this.state.set(L.CR0, CR0_PE | CR0_ET);
    this.state.set(L.GDTR_BASE, GDT);
    this.state.set(L.GDTR_LIMIT, GDT_LIMIT);
    this.state.set(L.DR6, 0xffff0ff0 | 0);
    this.state.set(L.DR7, 0x400);
    for (const [selector, base, limit, access] of DESCRIPTORS) {
      this.describe(selector, base, limit, access);
    }
    // The I/O bit map lies beyond the TSS: no port is permitted but by IOPL.
    this.poke(TSS + 0x66, 2, 0x168);
    setCpl(this.core, 0);
    setSegment(this.core, L.SEG_CS, CODE0, 0, -1, 0xc09b);
    for (const segment of [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS] as const) {
      setSegment(this.core, segment, DATA0, 0, -1, 0xc093);
    }
    setSegment(this.core, L.SEG_TR, TSS32, TSS, 0x167, 0x8b);
    setSegment(this.core, L.SEG_LDTR, 0, 0, 0, 0);
    this.eflags = EFLAGS_RESERVED1;
    this.state.esp = STACK;
    this.state.eip = CODE;
    this.attentions = 0;
  }

  /** Writes a descriptor into the GDT, or the LDT by the selector's TI bit. */
  describe(selector: number, base: number, limit: number, access: number): void {
    const at = (selector & 4 ? LDT : GDT) + (selector & 0xfff8);
    const high =
      (base & 0xff000000) | (limit & 0xf0000) | ((access & 0xf0ff) << 8) | ((base >>> 16) & 0xff);
    this.core.physical.write(at, 4, (base << 16) | (limit & 0xffff));
    this.core.physical.write(at + 4, 4, high);
  }

  /** Goes to CPL 3 with flat user segments. */
  enterUserMode(): void {
    setSegment(this.core, L.SEG_CS, CODE3, 0, -1, 0xc0fb);
    for (const segment of [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS] as const) {
      setSegment(this.core, segment, DATA3, 0, -1, 0xc0f3);
    }
    setCpl(this.core, 3);
  }

  /** Makes SS a segment of 16 bits with SP as its stack pointer. */
  useStack16(): void {
    setSegment(this.core, L.SEG_SS, STACK16, 0, 0xffff, 0x93);
  }

  /** Turns paging on with all of RAM mapped to itself, user and writable, but for what `unmap` takes. */
  enablePaging(): void {
    this.core.physical.write(PAGE_DIRECTORY, 4, PAGE_TABLE | 0x27);
    for (let page = 0; page < RAM_BYTES >>> 12; page++) {
      this.core.physical.write(PAGE_TABLE + page * 4, 4, (page << 12) | 0x67);
    }
    this.state.set(L.CR3, PAGE_DIRECTORY);
    this.state.set(L.CR4, CR4_PSE);
    this.state.set(L.CR0, this.state.cr0 | CR0_PG | CR0_WP);
    this.core.mmu.flush();
  }

  unmap(linear: number): void {
    this.core.physical.write(PAGE_TABLE + (linear >>> 12) * 4, 4, 0);
  }

  makeReadOnly(linear: number): void {
    const page = linear >>> 12;
    this.core.physical.write(PAGE_TABLE + page * 4, 4, (page << 12) | 0x65);
  }

  get eflags(): number {
    return readEflags(this.state);
  }
  set eflags(value: number) {
    writeEflags(this.state, value, -1);
  }

  /** A dword of RAM, unsigned. */
  dword(address: number): number {
    return this.core.physical.read(address, 4) >>> 0;
  }
  word(address: number): number {
    return this.core.physical.read(address, 2);
  }
  poke(address: number, size: AccessSize, value: number): void {
    this.core.physical.write(address, size, value);
  }

  segment(segment: SegmentIndex): { selector: number; base: number; limit: number } {
    const { state } = this;
    return {
      selector: state.selector(segment),
      base: state.segmentBase(segment) >>> 0,
      limit: state.segmentLimit(segment) >>> 0,
    };
  }

  /** Executes a normal procedure: EIP moves on by the instruction's length. */
  execute(procedure: Procedure, insn: Instruction = instruction()): Outcome {
    const outcome = this.transfer(procedure, insn);
    if (outcome === 'done') this.state.eip += insn.length;
    return outcome;
  }

  /** Executes a procedure that sets EIP itself. */
  transfer(procedure: Procedure, insn: Instruction = instruction()): Outcome {
    const { state, core } = this;
    core.previousShadow = state.get(L.SHADOW);
    state.set(L.SHADOW, L.SHADOW_NONE);
    const before = this.#snapshot();
    try {
      procedure(core, insn);
    } catch (thrown) {
      if (thrown !== fault) throw thrown;
      if (state.get(L.ESP_GUARD)) state.esp = state.get(L.SAVED_ESP);
      state.set(L.ESP_GUARD, 0);
      const after = this.#snapshot();
      expect(after.state).toEqual(before.state);
      expect(after.ram.equals(before.ram)).toBe(true);
      return { vector: fault.vector, errorCode: fault.errorCode };
    }
    state.set(L.ESP_GUARD, 0);
    return 'done';
  }

  /** All that a fault must leave as it was: state less the engine's own words and DR6, and RAM. */
  #snapshot(): { state: Buffer; ram: Buffer } {
    const state = Buffer.from(this.state.u8.slice(0, L.ARCHITECTURAL_END));
    for (const own of [L.BUDGET, L.SAVED_ESP, L.ESP_GUARD, L.DR6]) state.writeInt32LE(0, own);
    return { state, ram: Buffer.from(this.core.physical.ram.slice()) };
  }
}

/** The outcome of an instruction that faults. */
export function faults(vector: number, errorCode = 0): Outcome {
  return { vector, errorCode };
}
