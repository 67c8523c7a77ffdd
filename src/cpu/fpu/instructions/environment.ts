/**
 * FSTENV, FLDENV, FSAVE and FRSTOR: the environment in four layouts, by operand size and by mode, and
 * the registers behind it. Intel SDM vol. 1 §8.1.10, figures 8-9 to 8-12.
 *
 * In real and virtual-8086 mode the pointers are stored as linear addresses of 20 or 32 bits.
 *
 * Where alignment is checked, the whole must be aligned at the operand size (Intel SDM vol. 3A, table
 * 6-7), which the registers of 10 bytes in it then are not: they go in and out by two bytes at a time.
 */
import type { AccessSize } from '../../bus.js';
import type { Core } from '../../core.js';
import type { Instruction } from '../../decoder/instruction.js';
import { isProtectedMode, isUser } from '../../segmentation.js';
import type { State } from '../../state.js';
import * as L from '../../state-layout.js';
import { linearOfRm } from '../../system/operands.js';
import { FPU_EXCEPTIONS } from '../control-status.js';
import { EXPONENT_MAX } from '../operand.js';
import { wordOf } from '../registers.js';
import { fninit, setControl, setWords } from './control.js';

const ENVIRONMENT_WORDS = 7;
const REGISTER_BYTES = 10;
/** A register in units of two bytes. */
const REGISTER_HALVES = REGISTER_BYTES / 2;
const REGISTERS = 8;
const OPCODE_BITS = 0x7ff;
/** What the upper halves of 16-bit fields hold in the 32-bit layouts. */
const UPPER = 0xffff0000 | 0;

/** The seven fields of an environment, in either size. */
const fields = new Int32Array(ENVIRONMENT_WORDS);

/** The full tag word: two bits a register, 0 valid, 1 zero, 2 special, 3 empty. */
export function tagWord(state: State): number {
  const empty = state.get(L.FPU_EMPTY);
  let tags = 0;
  for (let n = 0; n < REGISTERS; n++) {
    const tag = (empty >> n) & 1 ? 3 : tagOf(state, n);
    tags |= tag << (2 * n);
  }
  return tags;
}

function tagOf(state: State, n: number): number {
  const at = (L.FPU_REGISTERS + n * L.FPU_REGISTER_BYTES) >> 2;
  const high = state.i32[at + 1];
  const exponent = state.i32[at + 2] & EXPONENT_MAX;
  if (exponent === 0) return (state.i32[at] | high) === 0 ? 1 : 2;
  return exponent === EXPONENT_MAX || high >= 0 ? 2 : 0;
}

/** FPU_EMPTY by a full tag word. Which of the other three tags it is doesn't matter. */
function emptyBits(tags: number): number {
  let empty = 0;
  for (let n = 0; n < REGISTERS; n++) {
    if (((tags >> (2 * n)) & 3) === 3) empty |= 1 << n;
  }
  return empty;
}

function collect(state: State, is32: boolean): void {
  const upper = is32 ? UPPER : 0;
  fields[0] = upper | state.get(L.FPU_CONTROL);
  fields[1] = upper | state.get(L.FPU_STATUS);
  fields[2] = upper | tagWord(state);
  const codeOffset = state.get(L.FPU_CODE_OFFSET);
  const codeSelector = state.get(L.FPU_CODE_SELECTOR);
  const dataOffset = state.get(L.FPU_DATA_OFFSET);
  const dataSelector = state.get(L.FPU_DATA_SELECTOR);
  const opcode = state.get(L.FPU_OPCODE);
  if (isProtectedMode(state)) {
    fields[3] = codeOffset;
    fields[4] = codeSelector | (is32 ? opcode << 16 : 0);
    fields[5] = dataOffset;
    fields[6] = upper | dataSelector;
    return;
  }
  const code = (codeSelector << 4) + codeOffset;
  const data = (dataSelector << 4) + dataOffset;
  fields[3] = upper | (code & 0xffff);
  fields[4] = ((code >>> 4) & (is32 ? 0x0ffff000 : 0xf000)) | opcode;
  fields[5] = upper | (data & 0xffff);
  fields[6] = (data >>> 4) & (is32 ? 0x0ffff000 : 0xf000);
}

function distribute(core: Core, is32: boolean): void {
  const { state } = core;
  state.set(L.FPU_EMPTY, emptyBits(fields[2]));
  setWords(core, fields[0], fields[1]);
  if (isProtectedMode(state)) {
    state.set(L.FPU_CODE_OFFSET, fields[3]);
    state.set(L.FPU_CODE_SELECTOR, fields[4] & 0xffff);
    // The 16-bit layout has no opcode.
    state.set(L.FPU_OPCODE, is32 ? (fields[4] >>> 16) & OPCODE_BITS : 0);
    state.set(L.FPU_DATA_OFFSET, fields[5]);
    state.set(L.FPU_DATA_SELECTOR, fields[6] & 0xffff);
    return;
  }
  const bits = is32 ? 0x0ffff000 : 0xf000;
  state.set(L.FPU_CODE_OFFSET, ((fields[4] & bits) << 4) | (fields[3] & 0xffff));
  state.set(L.FPU_CODE_SELECTOR, 0);
  state.set(L.FPU_OPCODE, fields[4] & OPCODE_BITS);
  state.set(L.FPU_DATA_OFFSET, ((fields[6] & bits) << 4) | (fields[5] & 0xffff));
  state.set(L.FPU_DATA_SELECTOR, 0);
}

/** Bytes of the environment under an operand size. */
function environmentBytes(insn: Instruction): number {
  return ENVIRONMENT_WORDS * insn.operandSize;
}

/** The linear address of a block to write, with every page of it known to be writable. */
function writableBlock(core: Core, insn: Instruction, bytes: number): number {
  const linear = linearOfRm(core, insn, bytes, 'write');
  const user = isUser(core.state);
  core.mmu.probeWrite(linear, insn.operandSize, user);
  core.mmu.probeWrite((linear + bytes - 1) | 0, 1, user);
  return linear;
}

function writeEnvironment(core: Core, insn: Instruction, linear: number): void {
  const size: AccessSize = insn.operandSize;
  const user = isUser(core.state);
  collect(core.state, size === 4);
  for (let i = 0; i < ENVIRONMENT_WORDS; i++) {
    core.mmu.write((linear + i * size) | 0, size, fields[i], user);
  }
}

function readEnvironment(core: Core, insn: Instruction, linear: number): void {
  const size: AccessSize = insn.operandSize;
  const user = isUser(core.state);
  for (let i = 0; i < ENVIRONMENT_WORDS; i++) {
    fields[i] = core.mmu.read((linear + i * size) | 0, size, user);
  }
}

/** D9 /6 FNSTENV: all exceptions are masked afterwards. */
export function fnstenv(core: Core, insn: Instruction): void {
  const linear = writableBlock(core, insn, environmentBytes(insn));
  writeEnvironment(core, insn, linear);
  setControl(core, core.state.get(L.FPU_CONTROL) | FPU_EXCEPTIONS);
}

/** D9 /4 FLDENV. */
export function fldenv(core: Core, insn: Instruction): void {
  const linear = linearOfRm(core, insn, environmentBytes(insn), 'read');
  readEnvironment(core, insn, linear);
  distribute(core, insn.operandSize === 4);
}

/** DD /6 FNSAVE: the environment, the registers from ST(0) on, then FNINIT. */
export function fnsave(core: Core, insn: Instruction): void {
  const { state, mmu } = core;
  const head = environmentBytes(insn);
  const linear = writableBlock(core, insn, head + REGISTERS * REGISTER_BYTES);
  const user = isUser(state);
  writeEnvironment(core, insn, linear);
  for (let i = 0; i < REGISTERS; i++) {
    const from = wordOf(state, i) << 1;
    const to = linear + head + i * REGISTER_BYTES;
    for (let half = 0; half < REGISTER_HALVES; half++) {
      mmu.write((to + half * 2) | 0, 2, state.u16[from + half], user);
    }
  }
  fninit(core);
}

const saved = new Uint16Array(REGISTERS * REGISTER_HALVES);

/** DD /4 FRSTOR. */
export function frstor(core: Core, insn: Instruction): void {
  const { state, mmu } = core;
  const head = environmentBytes(insn);
  const linear = linearOfRm(core, insn, head + REGISTERS * REGISTER_BYTES, 'read');
  const user = isUser(state);
  readEnvironment(core, insn, linear);
  // All of it is read before any of it is loaded, since a read may fault.
  for (let i = 0; i < REGISTERS; i++) {
    const from = linear + head + i * REGISTER_BYTES;
    for (let half = 0; half < REGISTER_HALVES; half++) {
      saved[i * REGISTER_HALVES + half] = mmu.read((from + half * 2) | 0, 2, user);
    }
  }
  distribute(core, insn.operandSize === 4);
  for (let i = 0; i < REGISTERS; i++) {
    const first = i * REGISTER_HALVES;
    state.u16.set(saved.subarray(first, first + REGISTER_HALVES), wordOf(state, i) << 1);
  }
}
