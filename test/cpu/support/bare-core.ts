/**
 * A processor without instructions, in flat protected mode, with descriptor tables that tests fill.
 *
 * Physical memory below 64 KiB: GDT at 1000h, IDT at 2000h, LDT at 3000h, the TSS at 4000h, room for a
 * second one at 5000h, page tables at 10000h if a test wants them, stacks that end at 9000h (CPL 0)
 * and A000h (CPL 3).
 */
import { expect } from 'vitest';
import type { CpuBus, Mmio } from '../../../src/cpu/bus.js';
import { CR0_PG, CR0_WP } from '../../../src/cpu/control-registers.js';
import { Core } from '../../../src/cpu/core.js';
import type { Instruction } from '../../../src/cpu/decoder/instruction.js';
import { Fault, fault } from '../../../src/cpu/fault.js';
import { Mmu } from '../../../src/cpu/mmu.js';
import { PhysicalMemory } from '../../../src/cpu/physical-memory.js';
import { resetState } from '../../../src/cpu/reset.js';
import { setCpl, setSegment, updateMode } from '../../../src/cpu/segmentation.js';
import { type SegmentIndex, State } from '../../../src/cpu/state.js';
import * as L from '../../../src/cpu/state-layout.js';
import { instruction as anyInstruction } from './instruction.js';

export const GDT = 0x1000;
export const IDT = 0x2000;
export const LDT = 0x3000;
export const TSS = 0x4000;
export const TSS_B = 0x5000;
export const KERNEL_STACK = 0x9000;
export const USER_STACK = 0xa000;

export const KERNEL_CODE = 0x08;
export const KERNEL_DATA = 0x10;
export const USER_CODE = 0x1b;
export const USER_DATA = 0x23;
export const TSS_SELECTOR = 0x28;
export const LDT_SELECTOR = 0x30;
/** The first GDT selector that the set-up leaves free. */
export const FREE = 0x38;

// Access rights with G and D/B set: flat segments.
export const FLAT_CODE0 = 0xc09b;
export const FLAT_DATA0 = 0xc093;
export const FLAT_CODE3 = 0xc0fb;
export const FLAT_DATA3 = 0xc0f3;

/** Ports that read all ones, an interrupt controller that always says 20h. */
class QuietBus implements CpuBus {
  readPort(): number {
    return 0xff;
  }
  writePort(): void {}
  acknowledgeInterrupt(): number {
    return 0x20;
  }
  readTimestamp(): number {
    return 0;
  }
}

const nothingThere: Mmio = {
  read: (_physical, size) => (size === 4 ? -1 : (1 << (8 * size)) - 1),
  write: () => undefined,
};

/** A core of 1 MiB in flat protected mode at CPL 0, with the tables above and EFLAGS 2. */
export function bareCore(): Core {
  const bytes = 0x100000;
  const pages = (L.RAM_BASE + bytes) >> 16;
  const state = new State(new WebAssembly.Memory({ initial: pages, maximum: pages }));
  const physical = new PhysicalMemory(state, bytes, nothingThere);
  const core = new Core(state, physical, new Mmu(state, physical), new QuietBus());
  resetState(core);
  layOut(core);
  return core;
}

/** Fills the tables, and puts a processor that was reset into flat protected mode at CPL 0. */
export function layOut(core: Core): void {
  const { state } = core;
  state.set(L.CR0, 0x11);
  state.set(L.GDTR_BASE, GDT);
  state.set(L.GDTR_LIMIT, 0x1ff);
  state.set(L.IDTR_BASE, IDT);
  state.set(L.IDTR_LIMIT, 0x7ff);
  putSegment(core, KERNEL_CODE, 0, 0xfffff, FLAT_CODE0);
  putSegment(core, KERNEL_DATA, 0, 0xfffff, FLAT_DATA0);
  putSegment(core, USER_CODE, 0, 0xfffff, FLAT_CODE3);
  putSegment(core, USER_DATA, 0, 0xfffff, FLAT_DATA3);
  putSegment(core, TSS_SELECTOR, TSS, 0x67, 0x8b);
  putSegment(core, LDT_SELECTOR, LDT, 0xff, 0x82);
  poke32(core, TSS + 4, KERNEL_STACK);
  poke32(core, TSS + 8, KERNEL_DATA);
  setSegment(core, L.SEG_TR, TSS_SELECTOR, TSS, 0x67, 0x8b);
  setSegment(core, L.SEG_LDTR, LDT_SELECTOR, LDT, 0xff, 0x82);
  enterKernel(core);
}

/** Flat segments of CPL 0, ESP at the end of its stack, EIP 100h. */
export function enterKernel(core: Core): void {
  flat(core, KERNEL_CODE, KERNEL_DATA, 0, KERNEL_STACK);
}

/** Flat segments of CPL 3, ESP at the end of its stack, EIP 100h. */
export function enterUser(core: Core): void {
  flat(core, USER_CODE, USER_DATA, 3, USER_STACK);
}

function flat(core: Core, code: number, data: number, cpl: number, esp: number): void {
  const dpl = cpl << 5;
  setSegment(core, L.SEG_CS, code, 0, -1, FLAT_CODE0 | dpl);
  const segments: SegmentIndex[] = [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS];
  for (const segment of segments) setSegment(core, segment, data, 0, -1, FLAT_DATA0 | dpl);
  core.state.esp = esp;
  core.state.eip = 0x100;
  setCpl(core, cpl);
  updateMode(core);
}

/** Where `enablePaging` puts the page table that maps the first megabyte. */
export const PAGE_TABLE = 0x11000;

/**
 * Turns paging on with linear = physical for the first megabyte. All entries have A and D set, so that
 * only what a test is about changes tables.
 * @param bits of every entry besides: P, R/W, U/S.
 */
export function enablePaging(core: Core, bits: number): void {
  poke32(core, 0x10000, PAGE_TABLE | 0x27);
  for (let page = 0; page < 256; page++) mapPage(core, page, bits);
  core.state.set(L.CR3, 0x10000);
  core.state.set(L.CR0, core.state.cr0 | CR0_PG | CR0_WP);
  core.mmu.flush();
}

/** Changes the entry of one page that `enablePaging` maps. */
export function mapPage(core: Core, page: number, bits: number): void {
  poke32(core, PAGE_TABLE + page * 4, (page << 12) | 0x60 | bits);
}

/** Writes a segment descriptor. `limit` is the 20-bit field, `access` as in SEGMENT_ACCESS. */
export function putSegment(
  core: Core,
  selector: number,
  base: number,
  limit: number,
  access: number,
): void {
  const at = (selector & 4 ? LDT : GDT) + (selector & 0xfff8);
  poke32(core, at, (limit & 0xffff) | (base << 16));
  poke32(
    core,
    at + 4,
    ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (base & 0xff000000),
  );
}

/** Writes a gate into the GDT or LDT. `access` is its byte of P, DPL and type. */
export function putGate(
  core: Core,
  selector: number,
  target: number,
  offset: number,
  access: number,
  parameters = 0,
): void {
  const at = (selector & 4 ? LDT : GDT) + (selector & 0xfff8);
  pokeGate(core, at, target, offset, access, parameters);
}

/** Writes a gate into the IDT. */
export function putVector(
  core: Core,
  vector: number,
  target: number,
  offset: number,
  access: number,
): void {
  pokeGate(core, IDT + vector * 8, target, offset, access, 0);
}

function pokeGate(
  core: Core,
  at: number,
  target: number,
  offset: number,
  access: number,
  parameters: number,
): void {
  poke32(core, at, (offset & 0xffff) | (target << 16));
  poke32(core, at + 4, (offset & 0xffff0000) | (access << 8) | parameters);
}

/** The access byte of a descriptor as it lies in its table. */
export function accessByte(core: Core, selector: number): number {
  return core.physical.read((selector & 4 ? LDT : GDT) + (selector & 0xfff8) + 5, 1);
}

export function poke32(core: Core, physical: number, value: number): void {
  core.physical.write(physical, 4, value);
}

export function poke16(core: Core, physical: number, value: number): void {
  core.physical.write(physical, 2, value);
}

/** A dword of physical memory, unsigned. */
export function peek32(core: Core, physical: number): number {
  return core.physical.read(physical, 4) >>> 0;
}

export function peek16(core: Core, physical: number): number {
  return core.physical.read(physical, 2);
}

/** The dwords from the top of the stack, as they lie in memory (segment bases of zero). */
export function stackDwords(core: Core, count: number): number[] {
  return Array.from({ length: count }, (_, i) => peek32(core, core.state.esp + 4 * i));
}

/** Puts dwords on the present stack so that the first is on top. */
export function stackUp(core: Core, ...dwords: number[]): void {
  core.state.esp -= 4 * dwords.length;
  dwords.forEach((dword, i) => poke32(core, core.state.esp + 4 * i, dword));
}

/** An instruction as the decoder would give it; two bytes long unless told otherwise. */
export function instruction(fields: Partial<Instruction> = {}): Instruction {
  return anyInstruction({ length: 2, opcode: 0, ...fields });
}

/** Everything that a fault must leave as it was: the architectural state and all of RAM. */
function guestBytes(core: Core): Uint8Array {
  const { state, physical } = core;
  const bytes = new Uint8Array(L.ARCHITECTURAL_END + physical.ramBytes);
  bytes.set(state.u8.subarray(0, L.ARCHITECTURAL_END));
  for (const word of [L.BUDGET, L.SAVED_ESP, L.ESP_GUARD]) bytes.fill(0, word, word + 4);
  bytes.set(physical.ram, L.ARCHITECTURAL_END);
  return bytes;
}

/** Runs something that must raise this exception and leave guest state exactly as it was. */
export function expectFault(
  core: Core,
  vector: number,
  errorCode: number,
  attempt: () => void,
): void {
  const before = guestBytes(core);
  let thrown: unknown = null;
  try {
    attempt();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(Fault);
  expect({ vector: fault.vector, errorCode: fault.errorCode }).toEqual({ vector, errorCode });
  expect(Buffer.compare(before, guestBytes(core)), 'guest state after the fault').toBe(0);
}
