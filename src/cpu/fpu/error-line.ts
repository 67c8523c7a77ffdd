/**
 * How an unmasked exception that waits makes itself heard: as #MF where CR0.NE is set, else through the
 * FERR# pin, which a PC wires to IRQ 13, as the AT did with the 287. Intel SDM vol. 1 §8.7.
 */
import { CR0_MP, CR0_NE, CR0_TS } from '../control-registers.js';
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { raise, VECTOR_MF, VECTOR_NM } from '../fault.js';
import { FPU_STATUS, HALTED, UNRETIRED } from '../state-layout.js';
import { FPU_ES } from './control-status.js';

/** Tells the bus the level of FERR#. To be called when ES or CR0.NE may have changed. */
export function signalError(core: Core): void {
  const { state, bus } = core;
  if (bus.setNumericError === undefined) return;
  bus.setNumericError((state.get(FPU_STATUS) & FPU_ES) !== 0 && (state.cr0 & CR0_NE) === 0);
}

/**
 * Sees to an exception that waits, before an instruction that must not overtake it.
 *
 * With NE clear the processor freezes before the instruction until an interrupt comes, unless IGNNE# is
 * active: it halts with EIP at the instruction, which is then executed anew after the handler.
 * @returns true where the instruction is not to be executed now. EIP is such that the instruction's
 *   length, added to it, gives its address.
 * @throws fault #MF where CR0.NE is set.
 */
export function waitsForHandler(core: Core, insn: Instruction): boolean {
  const { state, bus } = core;
  if ((state.get(FPU_STATUS) & FPU_ES) === 0) return false;
  if (state.cr0 & CR0_NE) raise(VECTOR_MF);
  if (bus.isNumericErrorIgnored?.() === true) return false;
  state.eip -= insn.length;
  // The step retires nothing: the instruction is still to come.
  state.f64[UNRETIRED >> 3] += 1;
  state.set(HALTED, 1);
  core.attention();
  return true;
}

/** 9B WAIT. @throws fault #NM while CR0.MP and CR0.TS are both set; #MF. */
export function wait(core: Core, insn: Instruction): void {
  const both = CR0_MP | CR0_TS;
  if ((core.state.cr0 & both) === both) raise(VECTOR_NM);
  waitsForHandler(core, insn);
}
