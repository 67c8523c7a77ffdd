/**
 * A task's state as it lies in a TSS of 32 or 16 bits. All accesses are made as supervisor.
 * Intel SDM vol. 3A §7.2.1 and §7.6.
 */
import type { Core } from '../core.js';
import type { SegmentIndex, State } from '../state.js';
import { CR3, SEG_FS } from '../state-layout.js';

/** Offsets in a TSS of either width; fields follow each other as `width` says. */
interface Layout {
  /** The smallest limit that a TSS may have. */
  readonly lowestLimit: number;
  /** Bytes of EIP, EFLAGS and each general register. */
  readonly width: 2 | 4;
  readonly eip: number;
  readonly eflags: number;
  readonly registers: number;
  readonly segments: number;
  /** ES, CS, SS, DS, and in a 32-bit TSS FS and GS. */
  readonly segmentCount: 4 | 6;
  /** Bytes from one selector to the next. */
  readonly segmentStep: 2 | 4;
  readonly ldt: number;
}

// biome-ignore format: table
const TSS32: Layout = {
  lowestLimit: 0x67, width: 4, eip: 0x20, eflags: 0x24, registers: 0x28,
  segments: 0x48, segmentCount: 6, segmentStep: 4, ldt: 0x60,
};
// biome-ignore format: table
const TSS16: Layout = {
  lowestLimit: 0x2b, width: 2, eip: 0x0e, eflags: 0x10, registers: 0x12,
  segments: 0x22, segmentCount: 4, segmentStep: 2, ldt: 0x2a,
};
const TSS32_CR3 = 0x1c;
const TSS32_TRAP = 0x64;

/** The layout of a TSS. */
export function taskLayout(is32: boolean): Layout {
  return is32 ? TSS32 : TSS16;
}

/** What a task switch loads. A 16-bit TSS has no FS, GS, CR3 and upper halves of registers. */
export class TaskState {
  eip = 0;
  eflags = 0;
  /** EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI. From a 16-bit TSS with the upper half all ones. */
  readonly registers = new Int32Array(8);
  /** ES, CS, SS, DS, FS, GS. */
  readonly selectors = new Int32Array(6);
  ldt = 0;
  cr3 = 0;
  /** The T bit: a debug trap is due once the task runs. */
  hasTrap = false;
}

/**
 * Reads all of a TSS. Changes nothing but `into`.
 * @throws fault #PF.
 */
export function readTask(core: Core, into: TaskState, base: number, is32: boolean): void {
  const { mmu, state } = core;
  const layout = taskLayout(is32);
  const { width } = layout;
  into.eip = mmu.read((base + layout.eip) | 0, width, false);
  into.eflags = mmu.read((base + layout.eflags) | 0, width, false);
  for (let i = 0; i < 8; i++) {
    const value = mmu.read((base + layout.registers + i * width) | 0, width, false);
    into.registers[i] = is32 ? value : value | 0xffff0000;
  }
  for (let i = 0; i < 6; i++) {
    const at = (base + layout.segments + i * layout.segmentStep) | 0;
    into.selectors[i] = i < layout.segmentCount ? mmu.read(at, 2, false) : 0;
  }
  into.ldt = mmu.read((base + layout.ldt) | 0, 2, false);
  into.cr3 = is32 ? mmu.read((base + TSS32_CR3) | 0, 4, false) : state.get(CR3);
  into.hasTrap = is32 && (mmu.read((base + TSS32_TRAP) | 0, 2, false) & 1) !== 0;
}

/**
 * Throws what `saveTask` would throw.
 * @throws fault #PF.
 */
export function probeSaveTask(core: Core, base: number, is32: boolean): void {
  const layout = taskLayout(is32);
  // Less than a page: its ends stand for all of it.
  core.mmu.probeWrite((base + layout.eip) | 0, layout.width, false);
  const last = layout.segments + (layout.segmentCount - 1) * layout.segmentStep;
  core.mmu.probeWrite((base + last) | 0, 2, false);
}

/** Writes the present task's state into its TSS, which was probed. */
export function saveTask(
  core: Core,
  base: number,
  is32: boolean,
  eip: number,
  eflags: number,
): void {
  const { mmu, state } = core;
  const layout = taskLayout(is32);
  const { width } = layout;
  mmu.write((base + layout.eip) | 0, width, eip, false);
  mmu.write((base + layout.eflags) | 0, width, eflags, false);
  for (let i = 0; i < 8; i++) {
    mmu.write((base + layout.registers + i * width) | 0, width, state.reg32(i), false);
  }
  for (let i = 0; i < layout.segmentCount; i++) {
    const at = (base + layout.segments + i * layout.segmentStep) | 0;
    mmu.write(at, 2, segmentSelector(state, i), false);
  }
}

function segmentSelector(state: State, index: number): number {
  if (index > SEG_FS + 1) throw new RangeError(`no segment register ${index} in a TSS`);
  return state.selector(index as SegmentIndex);
}
