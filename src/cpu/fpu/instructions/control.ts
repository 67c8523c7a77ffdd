/** The control instructions, which leave the pointers to the last instruction alone. */
import type { Core } from '../../core.js';
import type { Instruction } from '../../decoder/instruction.js';
import type { State } from '../../state.js';
import * as L from '../../state-layout.js';
import { FPU_CONTROL, FPU_EMPTY, FPU_STATUS } from '../../state-layout.js';
import { readRm, writeRm } from '../../system/operands.js';
import {
  FPU_BUSY,
  FPU_CONTROL_FIXED,
  FPU_CONTROL_INITIAL,
  FPU_CONTROL_WRITABLE,
  FPU_ES,
  FPU_EXCEPTIONS,
  FPU_SF,
} from '../control-status.js';
import { signalError } from '../error-line.js';
import { withSummary } from '../registers.js';

/** Loads both words at once. ES and B follow from the rest: what is newly unmasked may be pending. */
export function setWords(core: Core, control: number, status: number): void {
  const kept = (control & FPU_CONTROL_WRITABLE) | FPU_CONTROL_FIXED;
  core.state.set(FPU_CONTROL, kept);
  core.state.set(FPU_STATUS, withSummary(status & 0xffff, kept));
  signalError(core);
}

/** Loads the control word. */
export function setControl(core: Core, value: number): void {
  setWords(core, value, core.state.get(FPU_STATUS));
}

/** DB E3 FNINIT. The registers keep their contents. */
export function fninit(core: Core): void {
  const { state } = core;
  state.i32.fill(0, L.FPU_CODE_OFFSET >> 2, (L.FPU_DATA_SELECTOR >> 2) + 1);
  state.set(FPU_EMPTY, 0xff);
  setWords(core, FPU_CONTROL_INITIAL, 0);
}

/** DB E2 FNCLEX. */
export function fnclex(core: Core): void {
  const cleared = FPU_EXCEPTIONS | FPU_SF | FPU_ES | FPU_BUSY;
  const { state } = core;
  setWords(core, state.get(FPU_CONTROL), state.get(FPU_STATUS) & ~cleared);
}

/** DB E0 FNENI, DB E1 FNDISI, DB E4 FNSETPM: of the 8087 and the 287, and without effect since. */
export function ignored(): void {}

/** D9 /5 FLDCW m16. */
export function fldcw(core: Core, insn: Instruction): void {
  setControl(core, readRm(core, insn, 2));
}

/** D9 /7 FNSTCW m16. */
export function fnstcw(core: Core, insn: Instruction): void {
  writeRm(core, insn, 2, core.state.get(FPU_CONTROL));
}

/** DD /7 FNSTSW m16. */
export function fnstsw_m16(core: Core, insn: Instruction): void {
  writeRm(core, insn, 2, core.state.get(FPU_STATUS));
}

/** DF E0 FNSTSW AX. */
export function fnstsw_AX({ state }: { state: State }): void {
  state.setReg16(0, state.get(FPU_STATUS));
}
