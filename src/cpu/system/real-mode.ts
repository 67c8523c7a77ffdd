/**
 * Transfers where selectors name no descriptors: real mode, and in part virtual-8086 mode.
 * Intel SDM vol. 3B §20.1.
 */
import type { Core } from '../core.js';
import { EFLAGS_AC, EFLAGS_IF, EFLAGS_RF, EFLAGS_TF, readEflags } from '../eflags.js';
import { raise, VECTOR_GP } from '../fault.js';
import { setRealSegment } from '../segmentation.js';
import * as L from '../state-layout.js';
import { loadEflags } from './eflags-load.js';
import { Frame } from './frame.js';

const frame = new Frame();

/**
 * Jumps to selector:offset.
 * @throws fault #GP(0) beyond the limit of CS.
 */
export function jumpReal(core: Core, selector: number, offset: number): void {
  checkRealOffset(core, offset);
  setRealSegment(core, L.SEG_CS, selector);
  core.state.eip = offset;
}

/** The offset lies within what CS will reach: its limit doesn't change with its selector. */
export function checkRealOffset(core: Core, offset: number): void {
  if (offset >>> 0 > core.state.segmentLimit(L.SEG_CS) >>> 0) raise(VECTOR_GP);
}

/**
 * Calls selector:offset.
 * @throws fault #SS(0), #GP(0), #PF.
 */
export function callReal(
  core: Core,
  selector: number,
  offset: number,
  size: 2 | 4,
  returnEip: number,
): void {
  const { state } = core;
  const user = state.cpl === 3;
  frame.beginHere(core, size);
  frame.push(state.selector(L.SEG_CS));
  frame.push(returnEip);
  frame.checkLimit(0);
  checkRealOffset(core, offset);
  frame.probe(core, user);
  frame.write(core, user);
  state.esp = frame.stackPointer;
  setRealSegment(core, L.SEG_CS, selector);
  state.eip = offset;
}

/**
 * Enters a handler through the interrupt vector table: four bytes a vector, a frame of 16 bits.
 * @throws fault #GP(0), #SS(0).
 */
export function enterRealHandler(core: Core, vector: number, returnEip: number): void {
  const { state, mmu } = core;
  const at = vector << 2;
  if (at + 3 > (state.get(L.IDTR_LIMIT) & 0xffff)) raise(VECTOR_GP);
  const offset = mmu.read((state.get(L.IDTR_BASE) + at) | 0, 2, false);
  const selector = mmu.read((state.get(L.IDTR_BASE) + at + 2) | 0, 2, false);
  frame.beginHere(core, 2);
  frame.push(readEflags(state));
  frame.push(state.selector(L.SEG_CS));
  frame.push(returnEip);
  frame.checkLimit(0);
  checkRealOffset(core, offset);
  frame.write(core, false);
  state.esp = frame.stackPointer;
  loadEflags(core, 0, EFLAGS_IF | EFLAGS_TF | EFLAGS_AC | EFLAGS_RF);
  setRealSegment(core, L.SEG_CS, selector);
  state.eip = offset;
}
