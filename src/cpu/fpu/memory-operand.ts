/**
 * The x87's memory operands. An operand of more than 4 bytes is checked whole before any byte of it is
 * written.
 */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { raise, VECTOR_AC } from '../fault.js';
import { isUser } from '../segmentation.js';
import { linearOfRm } from '../system/operands.js';

/** What was read last: an operand of up to 80 bits. */
export const operand = { low: 0, high: 0, signExponent: 0 };

/** Operands of 64 and 80 bits are aligned at 8 bytes. Intel SDM vol. 3A, table 6-7. */
const ALIGNMENT = 8;

function linearOf(core: Core, insn: Instruction, size: number, kind: 'read' | 'write'): number {
  const linear = linearOfRm(core, insn, size, kind);
  const isMisaligned = (linear & (ALIGNMENT - 1)) !== 0;
  if (isMisaligned && core.mmu.checksAlignment && isUser(core.state)) raise(VECTOR_AC);
  return linear;
}

/** Reads 8 bytes into `operand`. @throws fault as a data read does. */
export function read64(core: Core, insn: Instruction): void {
  const { mmu } = core;
  const user = isUser(core.state);
  const linear = linearOf(core, insn, 8, 'read');
  operand.low = mmu.read(linear, 4, user);
  operand.high = mmu.read((linear + 4) | 0, 4, user);
}

/** Reads 10 bytes into `operand`. @throws fault as a data read does. */
export function read80(core: Core, insn: Instruction): void {
  const { mmu } = core;
  const user = isUser(core.state);
  const linear = linearOf(core, insn, 10, 'read');
  operand.low = mmu.read(linear, 4, user);
  operand.high = mmu.read((linear + 4) | 0, 4, user);
  operand.signExponent = mmu.read((linear + 8) | 0, 2, user);
}

/** @throws fault as a data write does, before any byte has changed. */
export function write64(core: Core, insn: Instruction, high: number, low: number): void {
  const { mmu } = core;
  const user = isUser(core.state);
  const linear = linearOf(core, insn, 8, 'write');
  const highLinear = (linear + 4) | 0;
  mmu.probeWrite(linear, 4, user);
  mmu.probeWrite(highLinear, 4, user);
  mmu.write(linear, 4, low, user);
  mmu.write(highLinear, 4, high, user);
}

/** @throws fault as a data write does, before any byte has changed. */
export function write80(
  core: Core,
  insn: Instruction,
  signExponent: number,
  high: number,
  low: number,
): void {
  const { mmu } = core;
  const user = isUser(core.state);
  const linear = linearOf(core, insn, 10, 'write');
  const highLinear = (linear + 4) | 0;
  const topLinear = (linear + 8) | 0;
  mmu.probeWrite(linear, 4, user);
  mmu.probeWrite(highLinear, 4, user);
  mmu.probeWrite(topLinear, 2, user);
  mmu.write(linear, 4, low, user);
  mmu.write(highLinear, 4, high, user);
  mmu.write(topLinear, 2, signExponent, user);
}
