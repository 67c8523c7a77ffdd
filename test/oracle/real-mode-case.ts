/**
 * Cases in real mode, one JSON object a line: the 16-bit registers and bytes of memory before and after
 * one instruction and the HLT behind it. With them comes `masks.json`: which bits of FLAGS an opcode
 * defines.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const REAL_REGISTERS = [
  ...(['ax', 'bx', 'cx', 'dx', 'si', 'di', 'bp', 'sp'] as const),
  ...(['cs', 'ss', 'ds', 'es', 'ip', 'flags'] as const),
] as const;
export type RealRegister = (typeof REAL_REGISTERS)[number];

/** A byte at a physical address. */
export type RealByte = readonly [address: number, byte: number];

export interface RealModeCase {
  /** The opcode in hexadecimal, with `.reg` for a group. */
  readonly op: string;
  /** Disassembly. */
  readonly name: string;
  /** Hexadecimal, with the HLT behind it. */
  readonly code: string;
  readonly init: Readonly<Record<RealRegister, number>>;
  readonly ram: readonly RealByte[];
  /** Registers that changed; IP is that after the HLT. */
  readonly final: Readonly<Partial<Record<RealRegister, number>>>;
  /** Bytes that changed. */
  readonly fram: readonly RealByte[];
  /** Vector of the exception taken, and the physical address of the FLAGS that it pushed. */
  readonly exc?: readonly [vector: number, flagsAt: number];
}

/** A line of a file is a case of this format. */
export function isRealModeCase(line: object): line is RealModeCase {
  return 'init' in line && 'fram' in line;
}

/** The FLAGS that an opcode defines, by the `op` of a case. */
export type FlagMasks = (op: string) => number;

/** Reads the `masks.json` that lies beside a file of cases. */
export function readMasks(file: string): FlagMasks {
  const text = readFileSync(join(dirname(file), 'masks.json'), 'utf8');
  const entries = JSON.parse(text) as Record<
    string,
    { readonly 'flags-mask'?: number } | undefined
  >;
  return (op) => {
    const entry = entries[op] ?? entries[`${op}.0`];
    if (entry === undefined) throw new Error(`masks.json has no entry for opcode ${op}`);
    return entry['flags-mask'] ?? 0xffff;
  };
}
