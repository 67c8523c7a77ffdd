/** Pushing and popping through SS, whose B bit says whether ESP or SP is the stack pointer. */
import type { Core } from '../core.js';
import { isUser, linearForRead, linearForWrite } from '../segmentation.js';
import type { State } from '../state.js';
import { ESP, ESP_GUARD, MODE, MODE_STACK32, SAVED_ESP, SEG_SS } from '../state-layout.js';

/** The bits of ESP that are the stack pointer: FFFFFFFFh (as -1) or FFFFh. */
export function stackMask(state: State): number {
  return state.get(MODE) & MODE_STACK32 ? -1 : 0xffff;
}

/** Sets the stack pointer: all of ESP, or SP alone on a 16-bit stack. */
export function setStackPointer(state: State, value: number): void {
  if (state.get(MODE) & MODE_STACK32) state.esp = value;
  else state.u16[ESP >> 1] = value;
}

/** Has the run loop put ESP back, as it is now, if this instruction faults. */
export function guardStackPointer(state: State): void {
  if (state.get(ESP_GUARD)) return;
  state.set(SAVED_ESP, state.esp);
  state.set(ESP_GUARD, 1);
}

/**
 * Pushes the low `size` bytes of a value at the present CPL. Guards ESP.
 * @throws fault #SS(0), #PF, #AC.
 */
export function push(core: Core, size: 2 | 4, value: number): void {
  const state = core.state;
  guardStackPointer(state);
  const pointer = (state.esp - size) & stackMask(state);
  core.mmu.write(linearForWrite(core, SEG_SS, pointer, size), size, value, isUser(state));
  setStackPointer(state, pointer);
}

/**
 * Pops `size` bytes at the present CPL: 4 come signed, 2 zero-extended. Guards ESP.
 * @throws fault #SS(0), #PF, #AC.
 */
export function pop(core: Core, size: 2 | 4): number {
  const state = core.state;
  guardStackPointer(state);
  const value = peekStack(core, 0, size);
  setStackPointer(state, state.esp + size);
  return value;
}

/**
 * Reads what lies `displacement` bytes above the top of the stack, at the present CPL, and leaves the
 * stack as it is. 4 bytes come signed, 2 zero-extended.
 * @throws fault #SS(0), #PF, #AC.
 */
export function peekStack(core: Core, displacement: number, size: 2 | 4): number {
  const state = core.state;
  const pointer = (state.esp + displacement) & stackMask(state);
  return core.mmu.read(linearForRead(core, SEG_SS, pointer, size), size, isUser(state));
}
