/**
 * From bytes to an instruction. Prefixes in any order and number (the last of a group counts), up to
 * 15 bytes in all. Intel SDM vol. 2A, chapter 2.
 */
import { raise, VECTOR_GP } from '../fault.js';
import type { Encoding } from '../isa/encoding.js';
import { type OpcodeMap, selectEncoding } from '../isa/opcode-map.js';
import type { SegmentIndex } from '../state.js';
import * as L from '../state-layout.js';
import { type Instruction, NO_MODRM } from './instruction.js';

/** An instruction of more bytes is #GP(0), however it would go on. */
export const MAX_INSTRUCTION_BYTES = 15;

export interface Decoded {
  readonly encoding: Encoding;
  readonly instruction: Instruction;
}

/** The instruction's bytes, with the end of what could be fetched. */
export interface CodeBytes {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** The first byte that is not there. */
  readonly end: number;
}

/** A base or an index register by its encoding, as a state offset. */
const NO_REGISTER = L.ZERO;

/** What 16-bit r/m values add up. Intel SDM vol. 2A, table 2-1. */
const BASES16 = [L.EBX, L.EBX, L.EBP, L.EBP, L.ESI, L.EDI, L.EBP, L.EBX];
const INDEXES16 = [L.ESI, L.EDI, L.ESI, L.EDI, NO_REGISTER, NO_REGISTER, NO_REGISTER, NO_REGISTER];

class Decoder {
  operandSize: 2 | 4;
  addressSize: 2 | 4;
  override: SegmentIndex | -1 = -1;
  rep: 0 | 0xf2 | 0xf3 = 0;
  lock = false;
  modrm = NO_MODRM;
  base = NO_REGISTER;
  index = NO_REGISTER;
  scale = 0;
  displacement = 0;
  segment: SegmentIndex = L.SEG_DS;
  immediate = 0;
  immediate2 = 0;

  readonly #code: CodeBytes;
  #at: number;
  #isShort = false;

  constructor(code: CodeBytes, is32: boolean) {
    this.#code = code;
    this.#at = code.start;
    this.operandSize = is32 ? 4 : 2;
    this.addressSize = is32 ? 4 : 2;
  }

  get length(): number {
    return this.#at - this.#code.start;
  }

  /** Bytes were wanted that are not there. */
  ranShort(): boolean {
    return this.#isShort;
  }

  byte(): number {
    if (this.length === MAX_INSTRUCTION_BYTES) raise(VECTOR_GP);
    if (this.#at >= this.#code.end) {
      this.#isShort = true;
      return 0;
    }
    return this.#code.bytes[this.#at++];
  }

  signedByte(): number {
    return (this.byte() << 24) >> 24;
  }

  word(): number {
    const low = this.byte();
    return low | (this.byte() << 8);
  }

  signedWord(): number {
    return (this.word() << 16) >> 16;
  }

  dword(): number {
    const low = this.word();
    return low | (this.word() << 16);
  }

  /** Takes prefixes and returns the first byte that is none. */
  prefixes(is32: boolean): number {
    for (;;) {
      const byte = this.byte();
      if (this.#isShort || !this.#takePrefix(byte, is32)) return byte;
    }
  }

  #takePrefix(byte: number, is32: boolean): boolean {
    switch (byte) {
      case 0x26:
        this.override = L.SEG_ES;
        return true;
      case 0x2e:
        this.override = L.SEG_CS;
        return true;
      case 0x36:
        this.override = L.SEG_SS;
        return true;
      case 0x3e:
        this.override = L.SEG_DS;
        return true;
      case 0x64:
        this.override = L.SEG_FS;
        return true;
      case 0x65:
        this.override = L.SEG_GS;
        return true;
      case 0x66:
        this.operandSize = is32 ? 2 : 4;
        return true;
      case 0x67:
        this.addressSize = is32 ? 2 : 4;
        return true;
      case 0xf0:
        this.lock = true;
        return true;
      case 0xf2:
      case 0xf3:
        this.rep = byte;
        return true;
      default:
        return false;
    }
  }

  /** ModRM's memory form: SIB, displacement, base, index and default segment. */
  memoryOperand(): void {
    const mod = this.modrm >> 6;
    const rm = this.modrm & 7;
    if (this.addressSize === 2) this.#memory16(mod, rm);
    else this.#memory32(mod, rm);
    const isStack = this.base === L.EBP || this.base === L.ESP;
    this.segment = isStack ? L.SEG_SS : L.SEG_DS;
  }

  #memory16(mod: number, rm: number): void {
    if (mod === 0 && rm === 6) {
      this.displacement = this.word();
      return;
    }
    this.base = BASES16[rm];
    this.index = INDEXES16[rm];
    if (mod === 1) this.displacement = this.signedByte();
    else if (mod === 2) this.displacement = this.signedWord();
  }

  #memory32(mod: number, rm: number): void {
    let base = rm;
    if (rm === 4) {
      const sib = this.byte();
      base = sib & 7;
      const index = (sib >> 3) & 7;
      if (index !== 4) {
        this.index = index << 2;
        this.scale = sib >> 6;
      }
    }
    if (mod === 0 && base === 5) {
      this.displacement = this.dword();
      return;
    }
    this.base = base << 2;
    if (mod === 1) this.displacement = this.signedByte();
    else if (mod === 2) this.displacement = this.dword();
  }

  immediates(encoding: Encoding): void {
    switch (encoding.immediate) {
      case 'none':
        return;
      case 'b':
        this.immediate = this.byte();
        return;
      case 'sb':
        this.immediate = this.signedByte();
        return;
      case 'w':
        this.immediate = this.word();
        return;
      case 'z':
        this.immediate = this.operandSize === 4 ? this.dword() : this.signedWord();
        return;
      case 'wb':
        this.immediate = this.word();
        this.immediate2 = this.byte();
        return;
      case 'p':
        this.immediate = this.operandSize === 4 ? this.dword() : this.word();
        this.immediate2 = this.word();
        return;
      case 'a':
        this.displacement = this.addressSize === 4 ? this.dword() : this.word();
        return;
    }
  }
}

/**
 * Decodes one instruction.
 * @param is32 CS.D: 32-bit operands and addresses by default.
 * @returns null where the instruction goes on beyond `code.end`.
 * @throws fault `#GP(0)` for more than 15 bytes. An encoding that there isn't decodes to one that
 * raises #UD when it is executed.
 */
export function decode(code: CodeBytes, is32: boolean, map: OpcodeMap): Decoded | null {
  const d = new Decoder(code, is32);
  let opcode = d.prefixes(is32);
  if (opcode === 0x0f) opcode = 0x0f00 | d.byte();
  if (d.ranShort()) return null;
  const entry = map.entry(opcode);
  let encoding: Encoding;
  let isMemory = false;
  if (entry.hasModrm) {
    d.modrm = d.byte();
    if (d.ranShort()) return null;
    encoding = selectEncoding(entry, d.modrm, map);
    isMemory = d.modrm < 0xc0 && !encoding.ignoresMod;
    if (isMemory) d.memoryOperand();
    const misfit = encoding.modrm === (isMemory ? 'register' : 'memory');
    if (misfit) encoding = map.undefinedEncoding;
  } else {
    encoding = entry.encoding;
  }
  d.immediates(encoding);
  if (d.ranShort()) return null;
  if (d.lock && !(encoding.lock && isMemory)) encoding = map.undefinedEncoding;
  const hasReg = d.modrm !== NO_MODRM;
  return {
    encoding,
    instruction: {
      length: d.length,
      opcode,
      operandSize: d.operandSize,
      addressSize: d.addressSize,
      segment: d.override === -1 ? d.segment : d.override,
      modrm: d.modrm,
      reg: hasReg ? (d.modrm >> 3) & 7 : opcode & 7,
      rm: hasReg ? d.modrm & 7 : 0,
      isMemory,
      base: d.base,
      index: d.index,
      scale: d.scale,
      displacement: d.displacement,
      immediate: d.immediate,
      immediate2: d.immediate2,
      rep: d.rep,
      lock: d.lock,
    },
  };
}
