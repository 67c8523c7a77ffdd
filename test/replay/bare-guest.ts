/** Guests of a few bytes, for what needs no interrupt handler. */
import { enterProtectedMode } from '../../src/machine/loaders/protected-start.js';
import { Machine } from '../../src/machine/machine.js';

/** Physical and linear address of the first instruction. */
export const ORIGIN = 0x1000;

/** A machine of 1 MiB that is about to execute these bytes, in flat protected mode, IF clear. */
export function bareGuest(...bytes: number[]): Machine {
  const machine = new Machine({ memoryBytes: 1 << 20 });
  machine.cpu.core.physical.load(ORIGIN, Uint8Array.from(bytes));
  enterProtectedMode(machine, { entry: ORIGIN, stack: 0x8000, eax: 0, ebx: 0 });
  return machine;
}
