/**
 * One row of the opcode map: how an instruction is encoded, and what it does.
 *
 * Operand codes are the manual's (Intel SDM vol. 2D, appendix A): a letter for where the operand is
 * and one for how wide: b byte, w word, v word or doubleword by the operand size, d doubleword.
 */
import type { Procedure } from '../system/procedure.js';
import type { Semantics } from './ops.js';

/** b: 1 byte, w: 2, d: 4, v: 2 or 4 by the operand size. */
export type Width = 'b' | 'w' | 'v' | 'd';

/** Where an operand is. */
export type OperandPlace =
  /** ModRM's r/m: a register or memory. */
  | 'rm'
  /** The address that ModRM's r/m names, without an access. */
  | 'address'
  /** ModRM's reg, or the low three bits of the opcode. */
  | 'reg'
  /** A register that the opcode implies. */
  | 'fixed'
  /** The first immediate. */
  | 'immediate'
  /** The constant 1. */
  | 'one'
  /** Memory at an offset given in the instruction. */
  | 'offset';

export interface OperandCode {
  readonly place: OperandPlace;
  readonly width: Width;
  /** For `fixed`: offset of the register's lowest byte (state-layout.ts). */
  readonly register: number;
}

/**
 * Immediate bytes behind ModRM, SIB and displacement. b: one byte, sb: one byte, sign-extended,
 * w: two bytes, z: two or four by the operand size, sz: as z (a relative target), wb: a word and a byte
 * (ENTER), p: far pointer, offset first, a: an offset as wide as an address.
 */
export type ImmediateCode = 'none' | 'b' | 'sb' | 'w' | 'z' | 'wb' | 'p' | 'a';

/** Which forms of ModRM's r/m the instruction has; the other is #UD. */
export type ModrmForms = 'none' | 'any' | 'memory' | 'register';

export interface Encoding {
  readonly mnemonic: string;
  readonly operands: readonly OperandCode[];
  readonly modrm: ModrmForms;
  /** ModRM is taken as register form whatever its mod field says: MOV to and from CR and DR. */
  readonly ignoresMod: boolean;
  readonly immediate: ImmediateCode;
  /** Width of an instruction without operands, or of its first one. */
  readonly width: Width;
  /** LOCK may precede it when its destination is in memory. */
  readonly lock: boolean;
  /** Hot instructions: emitted as WebAssembly. */
  readonly semantics: Semantics | null;
  /** The others: a plain procedure. Exactly one of the two is there. */
  readonly procedure: Procedure | null;
  /**
   * The common case of a procedure that is a transfer, emitted as WebAssembly, where calling it costs too
   * much. It jumps, or has changed nothing, and the procedure does it all from the start.
   */
  readonly shortcut: Semantics | null;
  /** The procedure sets EIP itself. */
  readonly isTransfer: boolean;
  /**
   * The procedure leaves the mode, the segments and the mapping of code as they are: compiled code may call it,
   * and go on behind it.
   */
  readonly isCallable: boolean;
  /** Nothing of the same block comes behind it. */
  readonly endsBlock: boolean;
}
