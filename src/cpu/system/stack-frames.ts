/**
 * PUSHA, POPA and ENTER: many stack slots, one instruction. Every slot is checked before the first
 * register or byte changes, so each can be restarted after a fault.
 */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import { isUser, linearForRead, linearForWrite } from '../segmentation.js';
import { SEG_SS } from '../state-layout.js';
import { readRegister, withStackPointer, writeRegister } from './operands.js';
import { stackMask } from './stack.js';

const ESP_INDEX = 4;
const EBP_INDEX = 5;
const REGISTERS = 8;

/** The linear address of a stack slot that may be written, or the fault that a push there takes. */
function writableSlot(core: Core, pointer: number, size: 2 | 4): number {
  const linear = linearForWrite(core, SEG_SS, pointer & stackMask(core.state), size);
  core.mmu.probeWrite(linear, size, isUser(core.state));
  return linear;
}

function writeSlot(core: Core, pointer: number, size: 2 | 4, value: number): void {
  core.mmu.write(writableSlot(core, pointer, size), size, value, isUser(core.state));
}

function readSlot(core: Core, pointer: number, size: 2 | 4): number {
  const linear = linearForRead(core, SEG_SS, pointer & stackMask(core.state), size);
  return core.mmu.read(linear, size, isUser(core.state));
}

/**
 * 60 PUSHA and PUSHAD: EAX, ECX, EDX, EBX, ESP as it was, EBP, ESI, EDI.
 * @throws fault as the first of the eight pushes that may not be done does.
 */
export function pusha(core: Core, insn: Instruction): void {
  const { state } = core;
  const size = insn.operandSize;
  const esp = state.esp;
  for (let index = 0; index < REGISTERS; index++) {
    writableSlot(core, esp - (index + 1) * size, size);
  }
  for (let index = 0; index < REGISTERS; index++) {
    writeSlot(core, esp - (index + 1) * size, size, readRegister(state, index, size));
  }
  state.esp = withStackPointer(state, esp - REGISTERS * size);
}

/** 61 POPA and POPAD: the slot of ESP is skipped, and not read. @throws fault as a pop does. */
export function popa(core: Core, insn: Instruction): void {
  const { state } = core;
  const size = insn.operandSize;
  const esp = state.esp;
  const slot = (index: number): number => esp + (REGISTERS - 1 - index) * size;
  for (let index = REGISTERS - 1; index >= 0; index--) {
    if (index !== ESP_INDEX) readSlot(core, slot(index), size);
  }
  for (let index = 0; index < REGISTERS; index++) {
    if (index !== ESP_INDEX) writeRegister(state, index, size, readSlot(core, slot(index), size));
  }
  state.esp = withStackPointer(state, esp + REGISTERS * size);
}

/** Pushes what ENTER pushes, or with `isTrial` only takes the faults of it. Returns the stack pointer. */
function pushFrames(core: Core, size: 2 | 4, level: number, isTrial: boolean): number {
  const { state } = core;
  const ebp = state.reg32(EBP_INDEX);
  const frame = state.esp - size;
  let pointer = state.esp;
  const push = (value: number): void => {
    pointer -= size;
    if (isTrial) writableSlot(core, pointer, size);
    else writeSlot(core, pointer, size, value);
  };
  push(ebp);
  if (level === 0) return pointer;
  for (let outer = 1; outer < level; outer++) push(readSlot(core, ebp - outer * size, size));
  push(frame);
  return pointer;
}

/**
 * C8 iw ib ENTER. The level is taken modulo 32; levels above 1 copy frame pointers from below EBP.
 * The word or doubleword at the final stack pointer must be writable, though nothing is written.
 * Intel SDM vol. 2A, ENTER. @throws fault as a push or a read of the stack does.
 */
export function enter_Iw_Ib(core: Core, insn: Instruction): void {
  const { state } = core;
  const size = insn.operandSize;
  const level = insn.immediate2 & 31;
  const bytes = insn.immediate & 0xffff;
  const frame = withStackPointer(state, state.esp - size);
  const pointer = pushFrames(core, size, level, true) - bytes;
  writableSlot(core, pointer, size);
  pushFrames(core, size, level, false);
  // The frame pointer has the width of the operand, the stack pointer that of the stack.
  writeRegister(state, EBP_INDEX, size, frame);
  state.esp = withStackPointer(state, pointer);
}
