/** What an expression can read of a guest: its registers, flags and memory. Nothing is changed by it. */
import {
  EFLAGS_AC,
  EFLAGS_AF,
  EFLAGS_CF,
  EFLAGS_DF,
  EFLAGS_IF,
  EFLAGS_NT,
  EFLAGS_OF,
  EFLAGS_PF,
  EFLAGS_SF,
  EFLAGS_TF,
  EFLAGS_VM,
  EFLAGS_ZF,
  readEflags,
} from '../cpu/eflags.js';
import type { SegmentIndex } from '../cpu/state.js';
import * as L from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';

/** Reads a value of 32 bits; which half of the numbers it is in, signed or not, is left open. */
export type Reader = (machine: Machine) => number;

const GENERAL = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const BYTES = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'];
const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const FLAGS: Readonly<Record<string, number>> = {
  cf: EFLAGS_CF,
  pf: EFLAGS_PF,
  af: EFLAGS_AF,
  zf: EFLAGS_ZF,
  sf: EFLAGS_SF,
  tf: EFLAGS_TF,
  if: EFLAGS_IF,
  df: EFLAGS_DF,
  of: EFLAGS_OF,
  nt: EFLAGS_NT,
  vm: EFLAGS_VM,
  ac: EFLAGS_AC,
};
const WORDS: Readonly<Record<string, number>> = {
  eip: L.EIP,
  cpl: L.CPL,
  shadow: L.SHADOW,
  cr0: L.CR0,
  cr2: L.CR2,
  cr3: L.CR3,
  cr4: L.CR4,
  dr6: L.DR6,
  dr7: L.DR7,
};

const REGISTERS = new Map<string, Reader>([
  ...GENERAL.flatMap((name, index): [string, Reader][] => [
    [name, ({ cpu }) => cpu.core.state.reg32(index)],
    [name.slice(1), ({ cpu }) => cpu.core.state.reg16(index)],
  ]),
  ...BYTES.map((name, index): [string, Reader] => [name, ({ cpu }) => cpu.core.state.reg8(index)]),
  ...SEGMENT_NAMES.map((name, index): [string, Reader] => [
    name,
    ({ cpu }) => cpu.core.state.selector(index as SegmentIndex),
  ]),
  ...Object.entries(WORDS).map(([name, offset]): [string, Reader] => [
    name,
    ({ cpu }) => cpu.core.state.get(offset),
  ]),
  ...Object.entries(FLAGS).map(([name, mask]): [string, Reader] => [
    name,
    ({ cpu }) => ((readEflags(cpu.core.state) & mask) === 0 ? 0 : 1),
  ]),
  ['eflags', ({ cpu }) => readEflags(cpu.core.state)],
]);

/** Every register's name, in no order of weight. */
export const REGISTER_NAMES: readonly string[] = [...REGISTERS.keys()];

/** How a register is read, or null where there is none of that name. */
export function registerReader(name: string): Reader | null {
  return REGISTERS.get(name) ?? null;
}

/**
 * Little-endian bytes at a linear address, without side effects: no fault, no accessed bit, no device.
 * What isn't RAM reads as all ones, as an empty bus does.
 * @param size 1, 2 or 4.
 */
export function peek(machine: Machine, linear: number, size: number): number {
  const { mmu, physical } = machine.cpu.core;
  let value = 0;
  for (let offset = size - 1; offset >= 0; offset--) {
    const at = mmu.peek((linear + offset) | 0);
    const isRam = at >= 0 && physical.isReadableRam(at >>> 12);
    value = (value << 8) | (isRam ? physical.ram[at] : 0xff);
  }
  return value;
}
