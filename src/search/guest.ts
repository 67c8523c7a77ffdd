/** The guest that is searched: whoever knows its image makes as many of it as are needed. */
import type { Machine } from '../machine/machine.js';
import type { SymbolTable } from '../machine/symbols.js';

/** A machine with its image loaded, at instant 0. */
export interface Guest {
  readonly machine: Machine;
  readonly symbols: SymbolTable;
}

/** Makes another guest, equal to all others. */
export type GuestMaker = () => Guest;
