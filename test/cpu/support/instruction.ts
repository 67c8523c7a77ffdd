/** Instructions for procedures that are called without a decoder. */
import { type Instruction, NO_MODRM } from '../../../src/cpu/decoder/instruction.js';
import * as L from '../../../src/cpu/state-layout.js';

/** An instruction without operands, 1 byte long, of 32 bits; give what differs. */
export function instruction(fields: Partial<Instruction> = {}): Instruction {
  return {
    length: 1,
    opcode: 0x90,
    operandSize: 4,
    addressSize: 4,
    segment: L.SEG_DS,
    modrm: NO_MODRM,
    reg: 0,
    rm: 0,
    isMemory: false,
    base: L.ZERO,
    index: L.ZERO,
    scale: 0,
    displacement: 0,
    immediate: 0,
    immediate2: 0,
    rep: 0,
    lock: false,
    ...fields,
  };
}
