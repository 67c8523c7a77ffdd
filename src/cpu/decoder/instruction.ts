/** One decoded instruction, as procedures, disassembly and the engine's records see it. */
import type { SegmentIndex } from '../state.js';

/** No ModRM byte. */
export const NO_MODRM = -1;

export interface Instruction {
  /** Bytes, prefixes included: 1 to 15. */
  readonly length: number;
  /** The opcode byte, or 0x0f00 plus the second byte of a two-byte opcode. */
  readonly opcode: number;
  /** Operand size in bytes by prefixes and CS.D: 2 or 4. Byte operands are the opcode's own matter. */
  readonly operandSize: 2 | 4;
  /** Address size in bytes: 2 or 4. */
  readonly addressSize: 2 | 4;
  /** The memory operand's segment, override applied. */
  readonly segment: SegmentIndex;
  /** The ModRM byte, or NO_MODRM. */
  readonly modrm: number;
  /** Fields of ModRM: register operand, register or opcode extension; 0 where there is no ModRM. */
  readonly reg: number;
  readonly rm: number;
  /** The r/m operand is in memory. */
  readonly isMemory: boolean;
  /** Memory operand: state offsets (state-layout) of base and index, ZERO where there is none. */
  readonly base: number;
  readonly index: number;
  /** The index is shifted left by this: 0 to 3. */
  readonly scale: number;
  readonly displacement: number;
  /** First immediate, sign-extended as the operand code says; a near branch's displacement; a far offset. */
  readonly immediate: number;
  /** Second immediate: a far pointer's selector, ENTER's level. */
  readonly immediate2: number;
  /** The last of F3 (REP, REPE) and F2 (REPNE), or 0. */
  readonly rep: 0 | 0xf2 | 0xf3;
  readonly lock: boolean;
}
