/**
 * The register stack: which register is ST(i), what is empty, pushing and popping. And the status word
 * after an instruction. Intel SDM vol. 1 §8.1.2, §8.5.1.1.
 */
import type { State } from '../state.js';
import { FPU_EMPTY, FPU_REGISTER_BYTES, FPU_REGISTERS, FPU_STATUS } from '../state-layout.js';
import {
  FPU_BUSY,
  FPU_C1,
  FPU_C2,
  FPU_CONDITION,
  FPU_ES,
  FPU_EXCEPTIONS,
  FPU_SF,
  FPU_TOP,
  FPU_TOP_SHIFT,
} from './control-status.js';
import type { Operand } from './operand.js';
import { unit } from './unit.js';

const STATUS_WORD = FPU_STATUS >> 2;
const EMPTY_WORD = FPU_EMPTY >> 2;
const REGISTER_WORDS = FPU_REGISTER_BYTES >> 2;
const FIRST_WORD = FPU_REGISTERS >> 2;

/** The number of the register that is ST(i). */
function numberOf(state: State, i: number): number {
  return ((state.i32[STATUS_WORD] >> FPU_TOP_SHIFT) + i) & 7;
}

/** Index in `state.i32` of ST(i): the significand's low word, its high word, sign and exponent. */
export function wordOf(state: State, i: number): number {
  return FIRST_WORD + numberOf(state, i) * REGISTER_WORDS;
}

export function isEmpty(state: State, i: number): boolean {
  return ((state.i32[EMPTY_WORD] >> numberOf(state, i)) & 1) !== 0;
}

/** Takes ST(i) apart. */
export function load(state: State, i: number, into: Operand): void {
  const at = wordOf(state, i);
  into.unpack(state.i32[at + 2], state.i32[at + 1], state.i32[at]);
}

/** Makes ST(i) the unit's result as it is. */
export function fetch(state: State, i: number): void {
  const at = wordOf(state, i);
  unit.set(state.i32[at + 2], state.i32[at + 1], state.i32[at]);
}

/** Writes the unit's result into ST(i), which is then no longer empty. */
export function write(state: State, i: number): void {
  const at = wordOf(state, i);
  state.i32[at] = unit.low;
  state.i32[at + 1] = unit.high;
  state.i32[at + 2] = unit.signExponent;
  state.i32[EMPTY_WORD] &= ~(1 << numberOf(state, i));
}

/** Pushes the unit's result. */
export function push(state: State): void {
  moveTop(state, -1);
  write(state, 0);
}

export function pop(state: State): void {
  markEmpty(state, 0);
  moveTop(state, 1);
}

export function markEmpty(state: State, i: number): void {
  state.i32[EMPTY_WORD] |= 1 << numberOf(state, i);
}

/** Adds to TOP. */
export function moveTop(state: State, by: number): void {
  const status = state.i32[STATUS_WORD];
  const top = (status + (by << FPU_TOP_SHIFT)) & FPU_TOP;
  state.i32[STATUS_WORD] = (status & ~FPU_TOP) | top;
}

/** An operand is in an empty register. The result is the real indefinite. */
export function stackUnderflow(): void {
  unit.exceptions |= FPU_SF;
  unit.invalid();
}

/** A register to push into is not empty. The result is the real indefinite. */
export function stackOverflow(): void {
  unit.exceptions |= FPU_SF;
  unit.c1 = FPU_C1;
  unit.invalid();
}

/** C1 stays as it is. */
export function keepC1(state: State): void {
  unit.c1 = state.i32[STATUS_WORD] & FPU_C1;
}

/** C0 and C3 stay as they are. */
export function clearC2(state: State): void {
  state.i32[STATUS_WORD] &= ~FPU_C2;
}

/** Sets C0, C2 and C3. */
export function setCondition(state: State, condition: number): void {
  state.i32[STATUS_WORD] = (state.i32[STATUS_WORD] & ~FPU_CONDITION) | condition;
}

/** ES and B as a status and a control word have them. */
export function withSummary(status: number, control: number): number {
  const isPending = (status & ~control & FPU_EXCEPTIONS) !== 0;
  const summary = FPU_ES | FPU_BUSY;
  return isPending ? status | summary : status & ~summary;
}
