/**
 * ESC (D8 to DF) and WAIT, as a processor without x87 executes them. Intel SDM vol. 3A §2.5, table 2-2.
 */
import { CR0_EM, CR0_MP, CR0_TS } from '../control-registers.js';
import type { Core } from '../core.js';
import { raise, VECTOR_NM, VECTOR_UD } from '../fault.js';

/**
 * D8 to DF. No memory is accessed. Deviation: without EM and TS a 386 waits for a coprocessor that
 * isn't there; here the instruction is undefined.
 * @throws fault #NM while CR0.EM or CR0.TS is set, else #UD.
 */
export function esc(core: Core): void {
  if (core.state.cr0 & (CR0_EM | CR0_TS)) raise(VECTOR_NM);
  raise(VECTOR_UD);
}

/** 9B WAIT. @throws fault #NM while CR0.MP and CR0.TS are both set. */
export function wait(core: Core): void {
  const both = CR0_MP | CR0_TS;
  if ((core.state.cr0 & both) === both) raise(VECTOR_NM);
}
