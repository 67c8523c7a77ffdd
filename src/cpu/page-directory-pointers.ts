/**
 * The four page-directory-pointer-table entries of PAE paging, which the processor loads with CR3 and
 * keeps: a change of the table in memory shows with the next load. Intel SDM vol. 3A §4.4.1.
 */
import { CR0_PG, CR4_PAE } from './control-registers.js';
import type { Core } from './core.js';
import { raise, VECTOR_GP } from './fault.js';
import { ENTRY_PRESENT } from './paging.js';
import { PDPTE0 } from './state-layout.js';

const COUNT = 4;
const TABLE_MASK = ~0x1f;
/** R/W, U/S and bits 5 to 8. Bits 32 to 63 are reserved too: see paging.ts. */
const RESERVED = 0x1e6;

const loaded = new Int32Array(COUNT);

/** CR0 and CR4 say that PAE paging is in use. */
export function usesPae(cr0: number, cr4: number): boolean {
  return (cr0 & CR0_PG) !== 0 && (cr4 & CR4_PAE) !== 0;
}

/**
 * Reads the table that a value of CR3 names, and changes nothing.
 * @throws fault #GP(0) where an entry that is present has reserved bits set.
 */
export function checkPageDirectoryPointers(core: Core, cr3: number): void {
  const { physical } = core;
  const table = cr3 & TABLE_MASK;
  for (let i = 0; i < COUNT; i++) {
    const low = physical.read(table + i * 8, 4);
    const high = physical.read(table + i * 8 + 4, 4);
    if (low & ENTRY_PRESENT && (low & RESERVED || high !== 0)) raise(VECTOR_GP);
    loaded[i] = low;
  }
}

/**
 * Loads the registers from the table that a value of CR3 names. Where one changes, cached translations go.
 * @throws fault as `checkPageDirectoryPointers` does, with nothing changed.
 */
export function loadPageDirectoryPointers(core: Core, cr3: number): void {
  const { state } = core;
  checkPageDirectoryPointers(core, cr3);
  let isSame = true;
  for (let i = 0; i < COUNT; i++) {
    isSame &&= state.get(PDPTE0 + i * 4) === loaded[i];
    state.set(PDPTE0 + i * 4, loaded[i]);
  }
  if (!isSame) core.mmu.flush();
}
