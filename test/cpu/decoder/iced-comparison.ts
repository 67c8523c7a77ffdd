/**
 * Our decoder beside iced-x86: the same bytes decoded by both, and what they disagree on in words.
 */
import {
  Decoder,
  DecoderOptions,
  Instruction as IcedInstruction,
  MemorySizeExt,
  OpCodeOperandKind,
  OpKind,
  Register,
  RegisterExt,
} from 'iced-x86';
import { type Decoded, decode } from '../../../src/cpu/decoder/decode.js';
import { fault, VECTOR_GP } from '../../../src/cpu/fault.js';
import type { OperandCode } from '../../../src/cpu/isa/encoding.js';
import { sizeOfWidth } from '../../../src/cpu/isa/form.js';
import { I386 } from '../../../src/cpu/isa/instruction-set.js';
import { EAX, ZERO } from '../../../src/cpu/state-layout.js';

/** Bytes from one encoding to the next in the buffer that both decoders read. */
const STRIDE = 16;
/** Where the instructions are said to be: branch targets below and above 64 KiB both come up. */
const IP = 0xfff0;

/** One encoding as both decoders see it. */
export interface Pair {
  readonly bytes: readonly number[];
  readonly bits: 16 | 32;
  readonly iced: IcedInstruction;
  /** null: more than 15 bytes, #GP. */
  readonly ours: Decoded | null;
  /** Ours raises #UD as soon as it is decoded. */
  readonly isOursUndefined: boolean;
}

export interface Disagreement {
  readonly pair: Pair;
  readonly text: string;
}

/**
 * Decodes each list of bytes (15 at the most count) and hands what differs to `report`, while the pair's
 * `iced` is still that of these bytes.
 */
export function compareAll(
  encodings: readonly (readonly number[])[],
  bits: 16 | 32,
  report: (disagreement: Disagreement) => void,
): void {
  const buffer = new Uint8Array(encodings.length * STRIDE + STRIDE);
  encodings.forEach((bytes, i) => buffer.set(bytes.slice(0, STRIDE), i * STRIDE));
  const decoder = new Decoder(bits, buffer, DecoderOptions.None);
  const iced = new IcedInstruction();
  encodings.forEach((bytes, i) => {
    decoder.position = i * STRIDE;
    decoder.ip = BigInt(IP);
    decoder.decodeOut(iced);
    const ours = decodeOurs(buffer, i * STRIDE, bits);
    const isOursUndefined = ours?.encoding === I386.undefinedEncoding;
    const pair: Pair = { bytes, bits, iced, ours, isOursUndefined };
    const text = difference(pair);
    if (text !== null) report({ pair, text });
  });
  iced.free();
  decoder.free();
}

function decodeOurs(bytes: Uint8Array, start: number, bits: 16 | 32): Decoded | null {
  try {
    const decoded = decode({ bytes, start, end: start + STRIDE }, bits === 32, I386);
    if (decoded === null) throw new Error('16 bytes are too few for an instruction');
    return decoded;
  } catch (thrown) {
    if (thrown !== fault || fault.vector !== VECTOR_GP) throw thrown;
    return null;
  }
}

/** What the two say differently, or null. */
function difference({ iced, ours, isOursUndefined }: Pair): string | null {
  const isInvalid = iced.isInvalid;
  if (ours === null) return isInvalid ? null : 'ours is too long';
  if (isInvalid) return isOursUndefined ? null : 'iced has no such instruction';
  if (isOursUndefined) return 'ours has no such instruction';
  if (iced.length !== ours.instruction.length) {
    return `length ${iced.length}, ours ${ours.instruction.length}`;
  }
  const { operands } = ours.encoding;
  if (operands.length !== 0 && operands.length !== iced.opCount) {
    return `${iced.opCount} operands, ours ${operands.length}`;
  }
  for (let k = 0; k < iced.opCount; k++) {
    const text = operandDifference(iced, ours, k);
    if (text !== null) return `operand ${k}: ${text}`;
  }
  return null;
}

function operandDifference(iced: IcedInstruction, ours: Decoded, k: number): string | null {
  const operand: OperandCode | undefined = ours.encoding.operands[k];
  switch (iced.opKind(k)) {
    case OpKind.Register:
      return registerDifference(iced, ours, k, operand);
    case OpKind.Memory:
      return memoryDifference(iced, ours, operand);
    case OpKind.NearBranch16:
    case OpKind.NearBranch32:
      return branchDifference(iced, ours);
    case OpKind.FarBranch16:
      return compare('far pointer', [
        [iced.farBranch16, ours.instruction.immediate],
        [iced.farBranchSelector, ours.instruction.immediate2],
      ]);
    case OpKind.FarBranch32:
      return compare('far pointer', [
        [iced.farBranch32 | 0, ours.instruction.immediate],
        [iced.farBranchSelector, ours.instruction.immediate2],
      ]);
    case OpKind.Immediate8:
    case OpKind.Immediate16:
    case OpKind.Immediate32:
    case OpKind.Immediate8to16:
    case OpKind.Immediate8to32:
      return immediateDifference(iced, ours, k, operand);
    case OpKind.Immediate8_2nd:
      return compare('second immediate', [
        [Number(iced.immediate(k)) & 0xff, ours.instruction.immediate2],
      ]);
    case OpKind.MemorySegSI:
    case OpKind.MemoryESDI:
    case OpKind.MemorySegDI:
      return compare('address size', [[2, ours.instruction.addressSize]]);
    case OpKind.MemorySegESI:
    case OpKind.MemoryESEDI:
    case OpKind.MemorySegEDI:
      return compare('address size', [[4, ours.instruction.addressSize]]);
    default:
      return `kind ${OpKind[iced.opKind(k)]}, which ours has not`;
  }
}

function compare(name: string, pairs: readonly (readonly [number, number])[]): string | null {
  const [theirs, mine] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
  if (theirs.every((value, i) => value === mine[i])) return null;
  const show = (values: readonly number[]): string => values.map((v) => v.toString(16)).join(',');
  return `${name} ${show(theirs)}, ours ${show(mine)}`;
}

/** By iced's kind of operand: the field of the encoding that names the register. */
function fieldOf(kind: OpCodeOperandKind): 'reg' | 'rm' | 'implied' {
  switch (kind) {
    case OpCodeOperandKind.r8_reg:
    case OpCodeOperandKind.r16_reg:
    case OpCodeOperandKind.r32_reg:
    case OpCodeOperandKind.r8_opcode:
    case OpCodeOperandKind.r16_opcode:
    case OpCodeOperandKind.r32_opcode:
    case OpCodeOperandKind.seg_reg:
    case OpCodeOperandKind.cr_reg:
    case OpCodeOperandKind.dr_reg:
      return 'reg';
    case OpCodeOperandKind.r8_or_mem:
    case OpCodeOperandKind.r16_or_mem:
    case OpCodeOperandKind.r32_or_mem:
    case OpCodeOperandKind.r16_rm:
    case OpCodeOperandKind.r32_rm:
    case OpCodeOperandKind.sti_opcode:
      return 'rm';
    default:
      return 'implied';
  }
}

function registerDifference(
  iced: IcedInstruction,
  ours: Decoded,
  k: number,
  operand: OperandCode | undefined,
): string | null {
  const register = iced.opRegister(k);
  const number = RegisterExt.number(register);
  const { instruction } = ours;
  const field = fieldOf(iced.opCode.opKind(k));
  if (field === 'rm' && instruction.isMemory) return 'a register, memory in ours';
  if (field === 'rm') {
    const text = compare('register', [[number, instruction.rm]]);
    if (text !== null) return text;
  }
  if (field === 'reg') {
    const text = compare('register', [[number, instruction.reg]]);
    if (text !== null) return text;
  }
  if (operand === undefined) return null;
  const size = sizeOfWidth(operand.width, instruction.operandSize);
  if (field === 'implied') {
    // AL, CL, DX, AX or EAX: no register that an operand implies is AH to BH.
    return compare('implied register', [
      [number, (operand.register - EAX) >> 2],
      [RegisterExt.size(register), size],
    ]);
  }
  if (operand.place !== field) return `in ${field}, ours in ${operand.place}`;
  return compare('register size', [[RegisterExt.size(register), size]]);
}

/** A base or index as both number it: -1 for none. */
function icedRegister(register: Register): number {
  return register === Register.None ? -1 : RegisterExt.number(register);
}
function ourRegister(offset: number): number {
  return offset === ZERO ? -1 : (offset - EAX) >> 2;
}

function memoryDifference(
  iced: IcedInstruction,
  ours: Decoded,
  operand: OperandCode | undefined,
): string | null {
  const { instruction } = ours;
  if (ours.encoding.mnemonic === 'xlat') {
    return compare('address size, segment', [
      [RegisterExt.size(iced.memoryBase), instruction.addressSize],
      [iced.memorySegment - Register.ES, instruction.segment],
    ]);
  }
  const isOffset = operand?.place === 'offset';
  if (!isOffset && !instruction.isMemory) return 'memory, a register in ours';
  const mask = instruction.addressSize === 2 ? 0xffff : -1;
  // A scale without an index means nothing.
  const index = icedRegister(iced.memoryIndex);
  const address = compare('base, index, scale, displacement, segment', [
    [icedRegister(iced.memoryBase), ourRegister(instruction.base)],
    [index, ourRegister(instruction.index)],
    [index < 0 ? 1 : iced.memoryIndexScale, 1 << instruction.scale],
    [Number(iced.memoryDisplacement & 0xffffffffn) & mask, instruction.displacement & mask],
    [iced.memorySegment - Register.ES, instruction.segment],
  ]);
  if (address !== null) return address;
  const base = iced.memoryBase === Register.None ? iced.memoryIndex : iced.memoryBase;
  if (base !== Register.None && RegisterExt.size(base) !== instruction.addressSize) {
    return `addresses of ${RegisterExt.size(base)} bytes, ours ${instruction.addressSize}`;
  }
  if (operand === undefined || operand.place === 'address') return null;
  const size = sizeOfWidth(operand.width, instruction.operandSize);
  return compare('size', [[MemorySizeExt.size(iced.memorySize), size]]);
}

function branchDifference(iced: IcedInstruction, ours: Decoded): string | null {
  const { immediate, length, operandSize } = ours.instruction;
  const target = IP + length + immediate;
  const wrapped = operandSize === 2 ? target & 0xffff : target >>> 0;
  return compare('target', [[Number(iced.nearBranchTarget), wrapped]]);
}

function immediateDifference(
  iced: IcedInstruction,
  ours: Decoded,
  k: number,
  operand: OperandCode | undefined,
): string | null {
  const theirs = Number(BigInt.asIntN(32, iced.immediate(k)));
  if (operand?.place === 'one') return compare('constant', [[theirs, 1]]);
  const { instruction } = ours;
  const size = operand === undefined ? 4 : sizeOfWidth(operand.width, instruction.operandSize);
  // Above its size an immediate means nothing: the manual's signs are the operand's.
  const isByte = iced.opKind(k) === OpKind.Immediate8;
  const mask = isByte ? 0xff : size === 2 ? 0xffff : -1;
  return compare('immediate', [[theirs & mask, instruction.immediate & mask]]);
}
