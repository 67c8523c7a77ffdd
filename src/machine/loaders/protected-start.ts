/**
 * The processor as boot loaders hand it to a kernel: 32-bit protected mode, flat segments, no paging.
 *
 * Multiboot Specification version 0.6.96, "Machine state".
 */
import { CR0_ET, CR0_PE } from '../../cpu/control-registers.js';
import { EFLAGS_RESERVED1, writeEflags } from '../../cpu/eflags.js';
import { setCpl, setSegment } from '../../cpu/segmentation.js';
import * as L from '../../cpu/state-layout.js';
import type { Machine } from '../machine.js';

const SELECTORS = { code: 0x08, data: 0x10 };
/** Present, DPL 0, 32 bits, 4 KiB granularity; code readable, data writable, both accessed. */
const CODE_ACCESS = 0xc09b;
const DATA_ACCESS = 0xc093;
const LIMIT_4_GIB = -1;

/** What differs between kernels. */
export interface StartState {
  /** Physical address of the first instruction. */
  readonly entry: number;
  /** Where the stack begins, downwards. Multiboot leaves ESP undefined; this is usable. */
  readonly stack: number;
  readonly eax: number;
  readonly ebx: number;
  /** 0 where absent. */
  readonly esi?: number;
  /** Those of the flat segments. */
  readonly selectors?: { readonly code: number; readonly data: number };
}

/**
 * Sets the registers of a machine that was just reset. Its descriptor tables are empty: a kernel that
 * reloads a segment or lets anything interrupt it before it has made its own goes wrong, as it may on any
 * loader that keeps to the specification.
 */
export function enterProtectedMode(machine: Machine, start: StartState): void {
  const { core } = machine.cpu;
  const { state } = core;
  state.set(L.CR0, CR0_PE | CR0_ET);
  for (const table of [L.GDTR_BASE, L.GDTR_LIMIT, L.IDTR_BASE, L.IDTR_LIMIT]) state.set(table, 0);
  writeEflags(state, EFLAGS_RESERVED1, -1);
  const { code, data } = start.selectors ?? SELECTORS;
  setSegment(core, L.SEG_CS, code, 0, LIMIT_4_GIB, CODE_ACCESS);
  for (const segment of [L.SEG_SS, L.SEG_DS, L.SEG_ES, L.SEG_FS, L.SEG_GS] as const) {
    setSegment(core, segment, data, 0, LIMIT_4_GIB, DATA_ACCESS);
  }
  setCpl(core, 0);
  core.mmu.flush();
  core.onCodeMapChange();
  for (let register = 0; register < 8; register++) state.setReg32(register, 0);
  state.set(L.EAX, start.eax);
  state.set(L.EBX, start.ebx);
  state.set(L.ESI, start.esi ?? 0);
  state.esp = start.stack;
  state.eip = start.entry;
}
