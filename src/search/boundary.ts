/** A boundary between two steps, as a map shows it. */
import { EFLAGS_IF } from '../cpu/eflags.js';
import { FLAG_SYSTEM, MODE, MODE_CODE32, SEG_CS, SHADOW } from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';
import type { Instant } from '../replay/instant.js';

/** The longest instruction. */
const INSTRUCTION_BYTES_MOST = 15;

/** Where a run is between two steps. */
export interface Boundary {
  readonly at: Instant;
  /** EIP, and the linear address that it stands for; both unsigned. */
  readonly eip: number;
  readonly linear: number;
  readonly cpl: number;
  /** EFLAGS.IF. */
  readonly isInterruptible: boolean;
  /** One of SHADOW_*. */
  readonly shadow: number;
  /** How instructions are decoded there. */
  readonly bits: 16 | 32;
  /** The next instruction's bytes and more, as far as they are mapped: at most 15. */
  readonly bytes: readonly number[];
}

/** The linear address that a machine's EIP stands for, unsigned. */
export function linearEip(machine: Machine): number {
  const { state } = machine.cpu.core;
  return (state.segmentBase(SEG_CS) + state.eip) >>> 0;
}

/** The boundary that a machine is at. Nothing of the guest is touched. */
export function boundaryOf(machine: Machine): Boundary {
  const { state, mmu, physical } = machine.cpu.core;
  const linear = linearEip(machine);
  const bytes: number[] = [];
  for (let offset = 0; offset < INSTRUCTION_BYTES_MOST; offset++) {
    const at = mmu.peek((linear + offset) | 0);
    if (at < 0 || !physical.isReadableRam(at >>> 12)) break;
    bytes.push(physical.ram[at]);
  }
  return {
    at: machine.cpu.instant,
    eip: state.eip >>> 0,
    linear,
    cpl: state.cpl,
    isInterruptible: (state.get(FLAG_SYSTEM) & EFLAGS_IF) !== 0,
    shadow: state.get(SHADOW),
    bits: state.get(MODE) & MODE_CODE32 ? 32 : 16,
    bytes,
  };
}
