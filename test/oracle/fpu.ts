/** The x87 part of an oracle case: into a processor, and compared with what came out. */
import { tagWord } from '../../src/cpu/fpu/instructions/environment.js';
import { wordOf } from '../../src/cpu/fpu/registers.js';
import type { State } from '../../src/cpu/state.js';
import * as L from '../../src/cpu/state-layout.js';

/** Control, status and full tag word, and the registers from ST(0) on, 20 hexadecimal digits each. */
export interface FpuCaseState {
  readonly cw: number;
  readonly sw: number;
  readonly tw: number;
  readonly st: readonly string[];
}

const REGISTERS = 8;
const TAG_EMPTY = 3;

function isEmpty(tags: number, top: number, i: number): boolean {
  return ((tags >> (2 * ((top + i) & 7))) & TAG_EMPTY) === TAG_EMPTY;
}

function topOf(status: number): number {
  return (status >> 11) & 7;
}

/** Loads everything; the pointers are zero. */
export function loadFpu(state: State, fpu: FpuCaseState): void {
  state.set(L.FPU_CONTROL, fpu.cw);
  state.set(L.FPU_STATUS, fpu.sw);
  let empty = 0;
  for (let n = 0; n < REGISTERS; n++) {
    if (isEmpty(fpu.tw, 0, n)) empty |= 1 << n;
  }
  state.set(L.FPU_EMPTY, empty);
  fpu.st.forEach((text, i) => {
    const at = wordOf(state, i);
    state.i32[at] = Number.parseInt(text.slice(12), 16);
    state.i32[at + 1] = Number.parseInt(text.slice(4, 12), 16);
    state.i32[at + 2] = Number.parseInt(text.slice(0, 4), 16);
  });
}

function registerText(state: State, i: number): string {
  const at = wordOf(state, i);
  const digits = (word: number, count: number): string =>
    (word >>> 0).toString(16).padStart(count, '0');
  return `${digits(state.i32[at + 2], 4)}${digits(state.i32[at + 1], 8)}${digits(state.i32[at], 8)}`;
}

/** What differs, as text; registers are compared where they aren't empty. */
export function fpuDifferences(state: State, fpu: FpuCaseState, statusMask: number): string[] {
  const found: string[] = [];
  const compare = (name: string, want: number | string, got: number | string): void => {
    const text = (value: number | string): string =>
      typeof value === 'string' ? value : value.toString(16);
    if (want !== got) found.push(`${name} ${text(want)}, got ${text(got)}`);
  };
  compare('control word', fpu.cw, state.get(L.FPU_CONTROL));
  compare('status word', fpu.sw & statusMask, state.get(L.FPU_STATUS) & statusMask);
  compare('tag word', fpu.tw, tagWord(state));
  fpu.st.forEach((text, i) => {
    if (!isEmpty(fpu.tw, topOf(fpu.sw), i)) compare(`st(${i})`, text, registerText(state, i));
  });
  return found;
}
