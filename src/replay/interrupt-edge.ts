/**
 * Finding the edges of interrupt windows while a machine runs: boundaries at which interrupts become
 * possible or impossible, or are about to. It looks without touching: no accessed bit, no fault.
 */
import { SEG_CS, SHADOW } from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';
import type { Instant } from './instant.js';

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
/** POP SS, POPF, INT 3, INT n, INTO, IRET, HLT, CLI, STI. */
const EDGE_OPCODES = new Set([0x17, 0x9d, 0xcc, 0xcd, 0xce, 0xcf, 0xf4, 0xfa, 0xfb]);
/** After 0F: SYSENTER, SYSEXIT. */
const EDGE_OPCODES_0F = new Set([0x34, 0x35]);
const MOV_SREG = 0x8e;
const SREG_SS = 2;
const INSTRUCTION_BYTES = 15;

/** Watches one machine for edges, boundary by boundary. */
export class InterruptEdges {
  readonly #machine: Machine;
  #seenAt: Instant = -1;
  #seenFlag = false;
  #seenShadow = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#note();
  }

  /**
   * True when the machine is at an edge: the next instruction may change IF or the interrupt shadow,
   * or the last step did. Under a hypervisor IF is the virtual one. False when asked again at the same instant.
   */
  advance(): boolean {
    const { instant, core } = this.#machine.cpu;
    if (instant === this.#seenAt) return false;
    const flag = this.#machine.cpu.acceptsInterrupts;
    const shadow = core.state.get(SHADOW);
    const hasChanged = flag !== this.#seenFlag || shadow !== this.#seenShadow;
    this.#note();
    this.#seenAt = instant;
    return hasChanged || isEdgeInstruction(this.#machine);
  }

  #note(): void {
    const { cpu } = this.#machine;
    this.#seenFlag = cpu.acceptsInterrupts;
    this.#seenShadow = cpu.core.state.get(SHADOW);
  }
}

/** The instruction at CS:EIP may change IF or the interrupt shadow. Guest state is not touched. */
export function isEdgeInstruction(machine: Machine): boolean {
  const { state } = machine.cpu.core;
  const start = state.segmentBase(SEG_CS) + state.eip;
  for (let offset = 0; offset < INSTRUCTION_BYTES; offset++) {
    const byte = peekByte(machine, start + offset);
    if (PREFIXES.has(byte)) continue;
    const next = start + offset + 1;
    if (byte === MOV_SREG) return ((peekByte(machine, next) >> 3) & 7) === SREG_SS;
    if (byte === 0x0f) return EDGE_OPCODES_0F.has(peekByte(machine, next));
    return EDGE_OPCODES.has(byte);
  }
  return false;
}

/** A byte of the guest's code; -1 where the page is not mapped, or not RAM. */
function peekByte(machine: Machine, linear: number): number {
  const { mmu, physical } = machine.cpu.core;
  const address = mmu.peek(linear | 0);
  return address >= 0 && physical.isReadableRam(address >>> 12) ? physical.ram[address] : -1;
}
