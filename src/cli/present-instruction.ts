/** What a machine is about to execute, as text, and guest memory read without side effects. */
import { MODE, MODE_CODE32, SEG_CS } from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';
import { disassemble, INSTRUCTION_BYTES_MOST, type Symbols, symbolText } from './disassembly.js';

/** The instruction at CS:EIP. */
export interface PresentInstruction {
  readonly eip: number;
  /** Null where the image has no symbol for it. */
  readonly symbol: string | null;
  readonly text: string;
}

/** The instruction that is next, as far as it is mapped. */
export function presentInstruction(machine: Machine, symbols: Symbols | null): PresentInstruction {
  const { state } = machine.cpu.core;
  const { eip } = state;
  const linear = (state.segmentBase(SEG_CS) + eip) | 0;
  const bits = state.get(MODE) & MODE_CODE32 ? 32 : 16;
  const bytes = peekBytes(machine, linear, INSTRUCTION_BYTES_MOST);
  const { text } = disassemble(bytes, eip, bits, symbols);
  return { eip, symbol: symbolText(symbols, linear), text };
}

/** The bytes that are mapped from a linear address on, at most `length`. Reads without side effects. */
export function peekBytes(machine: Machine, linear: number, length: number): Uint8Array {
  const { mmu, physical } = machine.cpu.core;
  const bytes: number[] = [];
  for (let offset = 0; offset < length; offset++) {
    const address = mmu.peek((linear + offset) | 0);
    // What lies beyond RAM belongs to devices: reading it could have side effects.
    if (address < 0 || address >= physical.ramBytes) break;
    bytes.push(physical.ram[address]);
  }
  return Uint8Array.from(bytes);
}
