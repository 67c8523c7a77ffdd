/**
 * A form is an encoding with everything fixed that changes the code of its handler: sizes, and
 * whether operands are registers or memory. Which registers and which numbers is left open.
 */
import type { Instruction } from '../decoder/instruction.js';
import { ZERO } from '../state-layout.js';
import type { Encoding, Width } from './encoding.js';
import type { Size } from './ops.js';

/** How the effective address is made: no memory operand, base + displacement, or with an index. */
export type AddressForm = 'none' | 'base' | 'indexed';

export interface Form {
  readonly encoding: Encoding;
  readonly operandSize: 2 | 4;
  readonly addressSize: 2 | 4;
  readonly stack32: boolean;
  readonly rep: 0 | 0xf2 | 0xf3;
  readonly address: AddressForm;
}

/** Bytes of a width under an operand size. */
export function sizeOfWidth(width: Width, operandSize: 2 | 4): Size {
  if (width === 'b') return 1;
  if (width === 'w') return 2;
  return width === 'd' ? 4 : operandSize;
}

/** Operand k of the form is in memory. */
export function isMemoryOperand(form: Form, k: number): boolean {
  const { place } = form.encoding.operands[k];
  return place === 'offset' || (place === 'rm' && form.address !== 'none');
}

/** MOVS, CMPS, STOS, LODS, SCAS: where a repeat prefix means repetition. */
export const STRING_OPCODES: ReadonlySet<number> = new Set([
  0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
]);

/** The form of a decoded instruction. */
export function formOf(encoding: Encoding, instruction: Instruction, stack32: boolean): Form {
  const { operandSize, addressSize, opcode, rep, index } = instruction;
  let hasMemory = instruction.isMemory;
  for (const { place } of encoding.operands) if (place === 'offset') hasMemory = true;
  return {
    encoding,
    operandSize,
    addressSize,
    stack32,
    rep: rep !== 0 && STRING_OPCODES.has(opcode) ? rep : 0,
    address: index !== ZERO ? 'indexed' : hasMemory ? 'base' : 'none',
  };
}
