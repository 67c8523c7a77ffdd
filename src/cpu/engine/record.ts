/**
 * Decoded instructions in the one memory, as handlers read them: RECORD_BYTES each, the records of one
 * block one behind the other, an END record behind the last.
 */
import type { Instruction } from '../decoder/instruction.js';
import type { Form } from '../isa/form.js';
import { sizeOfWidth } from '../isa/form.js';
import type { State } from '../state.js';
import { RECORD_BYTES, SEGMENT_BYTES, SEGMENTS } from '../state-layout.js';

/** Index of the handler in the table of functions. */
export const RECORD_HANDLER = 0;
/** State offset of the register that ModRM's reg, or the opcode, names. */
export const RECORD_REGISTER = 4;
/** State offset of the register that r/m names, or of the base register. */
export const RECORD_BASE = 8;
export const RECORD_INDEX = 12;
export const RECORD_DISPLACEMENT = 16;
/** One byte each. */
export const RECORD_SCALE = 20;
export const RECORD_LENGTH = 21;
/** State offset of the memory operand's segment register, two bytes. */
export const RECORD_SEGMENT = 22;
export const RECORD_IMMEDIATE = 24;
/** Number of the instruction that a procedure is given; 0 where none is, PROCEDURE_BEHIND in a head record. */
export const RECORD_PROCEDURE = 28;
export const PROCEDURE_BEHIND = -1;

/** Handler 0 marks the end of a block. */
export const HANDLER_END = 0;
/** Calls the instruction's procedure. */
export const HANDLER_PROCEDURE = 1;
/**
 * Handler of a head record, which stands before a block that may be compiled: counts down how often
 * the block is entered yet. A compiled region takes its place.
 */
export const HANDLER_COUNT = 2;
/** In a head record that counts: entries to go before the block is hot. */
export const RECORD_COUNTER = 4;
/** And how many they were. */
export const RECORD_ENTRIES = 8;
/** In a head record: physical address of its block. */
export const RECORD_PHYSICAL = 24;
/** In a head record of compiled code: the block's index in its region, its instructions, its offset. */
export const RECORD_BLOCK = 8;
export const RECORD_COUNT = 12;
export const RECORD_OFFSET = 16;

/** State offset of a register by its encoding: byte registers 4 to 7 are the second bytes of 0 to 3. */
export function registerOffset(index: number, size: 1 | 2 | 4): number {
  return size === 1 ? ((index & 3) << 2) | (index >> 2) : index << 2;
}

/**
 * Writes the record of one instruction.
 * @param procedure as RECORD_PROCEDURE.
 */
export function writeRecord(
  state: State,
  record: number,
  handler: number,
  form: Form,
  insn: Instruction,
  procedure: number,
): void {
  const { i32, u8, u16 } = state;
  let base = insn.base;
  let register = 0;
  for (const { place, width } of form.encoding.operands) {
    if (place === 'reg') register = registerOffset(insn.reg, sizeOfWidth(width, form.operandSize));
    else if (place === 'rm' && form.address === 'none')
      base = registerOffset(insn.rm, sizeOfWidth(width, form.operandSize));
  }
  i32[(record + RECORD_HANDLER) >> 2] = handler;
  i32[(record + RECORD_REGISTER) >> 2] = register;
  i32[(record + RECORD_BASE) >> 2] = base;
  i32[(record + RECORD_INDEX) >> 2] = insn.index;
  i32[(record + RECORD_DISPLACEMENT) >> 2] = insn.displacement;
  u8[record + RECORD_SCALE] = insn.scale;
  u8[record + RECORD_LENGTH] = insn.length;
  u16[(record + RECORD_SEGMENT) >> 1] = SEGMENTS + insn.segment * SEGMENT_BYTES;
  i32[(record + RECORD_IMMEDIATE) >> 2] = insn.immediate;
  i32[(record + RECORD_PROCEDURE) >> 2] = procedure;
}

/** Writes the record that ends a block. */
export function writeEnd(state: State, record: number): void {
  const from = record >> 2;
  for (let i = 0; i < RECORD_BYTES >> 2; i++) state.i32[from + i] = 0;
}

/** Where compiled code for a block is: the region's function, and where it is entered. */
export interface CompiledBlock {
  readonly handler: number;
  readonly index: number;
  readonly instructions: number;
  /** Of the block in its page. */
  readonly offset: number;
}

/** Has a head record enter compiled code. */
export function writeCompiledHead(state: State, record: number, block: CompiledBlock): void {
  state.i32[(record + RECORD_HANDLER) >> 2] = block.handler;
  state.i32[(record + RECORD_BLOCK) >> 2] = block.index;
  state.i32[(record + RECORD_COUNT) >> 2] = block.instructions;
  state.i32[(record + RECORD_OFFSET) >> 2] = block.offset;
}

/** Writes a head record that counts. @param physical address of its block. */
export function writeHead(state: State, record: number, entries: number, physical: number): void {
  writeEnd(state, record);
  state.i32[(record + RECORD_PHYSICAL) >> 2] = physical;
  state.i32[(record + RECORD_PROCEDURE) >> 2] = PROCEDURE_BEHIND;
  state.i32[(record + RECORD_HANDLER) >> 2] = HANDLER_COUNT;
  state.i32[(record + RECORD_COUNTER) >> 2] = entries;
  state.i32[(record + RECORD_ENTRIES) >> 2] = entries;
}
