/**
 * What is rare and long in an instruction set is a procedure: a plain function on the state, called by
 * interpreted and compiled code alike.
 */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';

/**
 * Carries out one instruction. While it runs EIP still points at the instruction. After a normal
 * procedure the engine adds the instruction's length to EIP; a transfer (far jump, INT, IRET...) has
 * set EIP itself.
 * @throws fault before it has changed anything. One that moves ESP first guards it, see
 * `guardStackPointer`.
 */
export type Procedure = (core: Core, instruction: Instruction) => void;
