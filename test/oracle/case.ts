/**
 * Cases as a real processor executed them, one JSON object a line: a processor's state, the bytes of
 * an instruction, and what came out.
 */

import type { FpuCaseState } from './fpu.js';

/** EAX ECX EDX EBX ESP EBP ESI EDI, unsigned. */
export type Registers = readonly number[];

export interface CaseException {
  readonly vector: number;
  /** null where none is pushed. */
  readonly error: number | null;
  readonly cr2?: number;
}

export interface OracleCase {
  readonly id: number;
  readonly group: string;
  readonly op: string;
  readonly asm: string;
  /** Hexadecimal. */
  readonly code: string;
  readonly in: {
    readonly regs: Registers;
    readonly eflags: number;
    readonly base: number;
    readonly mem: string;
    readonly fpu?: FpuCaseState;
  };
  readonly out: {
    readonly regs: Registers;
    readonly eip: number;
    readonly eflags: number;
    readonly mem?: string;
    readonly exception?: CaseException;
    readonly fpu?: FpuCaseState;
  };
  /** What the manual leaves open. */
  readonly undefined?: {
    readonly regs?: readonly number[];
    /** EFLAGS bits. */
    readonly flags?: number;
    readonly mem?: boolean;
  };
  /** Bits of the x87's status word that are compared. */
  readonly sw_mask?: number;
  /** A case of single steps: T starts with TF set, S does not. */
  readonly mode?: 'T' | 'S';
  /** At each #DB: the EIP saved, ECX and EFLAGS. */
  readonly steps?: readonly (readonly number[])[];
  readonly selector?: { readonly is: 'ss' | 'ds' | 'cs'; readonly in: 'ax' | number };
}

/** What the case found wrong, or null. */
export type Verdict = string | null;
