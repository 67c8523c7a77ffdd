/** Calls about descriptor tables, their entries, and what is loaded from them. */
import type { Core } from '../../cpu/core.js';
import {
  accessDpl,
  Descriptor,
  isCode,
  isConformingCode,
  isNullSelector,
  readDescriptor,
} from '../../cpu/descriptors.js';
import { fault } from '../../cpu/fault.js';
import { loadDataSegment, setNullSegment, setSegmentFrom } from '../../cpu/segmentation.js';
import type { SegmentIndex } from '../../cpu/state.js';
import * as L from '../../cpu/state-layout.js';
import { type GuestCpu, updateKernelStack } from '../emulate.js';

const DATA_SEGMENTS: readonly SegmentIndex[] = [L.SEG_DS, L.SEG_ES, L.SEG_FS, L.SEG_GS];
const ENTRY_BYTES = 8;
/** An argument below this is a selector; a pointer to a TSS is not. */
const SELECTORS = 0x10000;

const code = new Descriptor();

/** SetGDT: the pointer at `at` is a limit of 2 bytes and a base of 4. @throws fault #PF. */
export function setGdt(cpu: GuestCpu, at: number): void {
  const { core, guest } = cpu;
  const limit = core.mmu.read(at, 2, false);
  const base = core.mmu.read((at + 2) | 0, 4, false);
  guest.gdtBase = base;
  core.state.set(L.GDTR_LIMIT, limit);
  reloadSegments(core);
}

/** SetIDT. @throws fault #PF. */
export function setIdt(cpu: GuestCpu, at: number): void {
  const { core, guest } = cpu;
  const limit = core.mmu.read(at, 2, false);
  guest.idtBase = core.mmu.read((at + 2) | 0, 4, false);
  guest.idtLimit = limit;
}

/** GetGDT, GetIDT. @throws fault #PF, with nothing changed. */
export function storePointer(core: Core, at: number, limit: number, base: number): void {
  core.mmu.probeWrite(at, 2, false);
  core.mmu.probeWrite((at + 2) | 0, 4, false);
  core.mmu.write(at, 2, limit, false);
  core.mmu.write((at + 2) | 0, 4, base, false);
}

/** WriteGDTEntry, WriteLDTEntry, WriteIDTEntry. @throws fault #PF, with nothing changed. */
export function writeEntry(
  core: Core,
  table: number,
  index: number,
  low: number,
  high: number,
): void {
  const at = (table + index * ENTRY_BYTES) | 0;
  core.mmu.probeWrite(at, 4, false);
  core.mmu.probeWrite((at + 4) | 0, 4, false);
  core.mmu.write(at, 4, low, false);
  core.mmu.write((at + 4) | 0, 4, high, false);
}

/** UpdateKernelStack: a stack selector, or a pointer to the TSS; and ESP. @throws fault #PF. */
export function setKernelStack(cpu: GuestCpu, stack: number, esp: number): void {
  if (stack >>> 0 >= SELECTORS) {
    updateKernelStack(cpu);
    return;
  }
  cpu.guest.kernelSs = stack;
  cpu.guest.kernelEsp = esp;
}

/**
 * Loads all segment registers anew, after a table has changed: null where that would fault. CS and SS,
 * which can't be null, then stay as they are.
 */
export function reloadSegments(core: Core): void {
  const { state } = core;
  for (const segment of DATA_SEGMENTS) {
    const selector = state.selector(segment);
    if (isNullSelector(selector)) continue;
    if (!hasLoaded(() => loadDataSegment(core, segment, selector))) setNullSegment(core, segment);
  }
  hasLoaded(() => loadDataSegment(core, L.SEG_SS, state.selector(L.SEG_SS)));
  hasLoaded(() => reloadCode(core));
}

function reloadCode(core: Core): void {
  const { state } = core;
  const selector = state.selector(L.SEG_CS);
  readDescriptor(core, code, selector);
  const isForCpl = isConformingCode(code.access)
    ? accessDpl(code.access) <= state.cpl
    : accessDpl(code.access) === state.cpl;
  const canRun = isCode(code.access) && code.isPresent && isForCpl;
  if (canRun && state.eip >>> 0 <= code.limit >>> 0) {
    setSegmentFrom(core, L.SEG_CS, selector, code);
  }
}

function hasLoaded(load: () => void): boolean {
  try {
    load();
    return true;
  } catch (thrown) {
    if (thrown !== fault) throw thrown;
    return false;
  }
}
