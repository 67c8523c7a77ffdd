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
const NO_BYTES = new Uint8Array(0);

/** What 16-bit r/m values add up. Intel SDM vol. 2A, table 2-1. */
const BASES16 = [L.EBX, L.EBX, L.EBP, L.EBP, L.ESI, L.EDI, L.EBP, L.EBX];
const INDEXES16 = [L.ESI, L.EDI, L.ESI, L.EDI, NO_REGISTER, NO_REGISTER, NO_REGISTER, NO_REGISTER];

/**
 * Decodes one instruction after the other: its fields are those of the last one, and are overwritten by the
 * next.
 */
export class Decoder implements Instruction {
  encoding: Encoding;
  length = 0;
  opcode = 0;
  operandSize: 2 | 4 = 4;
  addressSize: 2 | 4 = 4;
  segment: SegmentIndex = L.SEG_DS;
  modrm = NO_MODRM;
  reg = 0;
  rm = 0;
  isMemory = false;
  base = NO_REGISTER;
  index = NO_REGISTER;
  scale = 0;
  displacement = 0;
  immediate = 0;
  immediate2 = 0;
  rep: 0 | 0xf2 | 0xf3 = 0;
  lock = false;

  readonly #map: OpcodeMap;
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  #at = 0;
  /** The first byte that is not there, or that no instruction has. */
  #end = 0;
  #isShort = false;
  #override: SegmentIndex | -1 = -1;

  constructor(map: OpcodeMap) {
    this.#map = map;
    this.encoding = map.undefinedEncoding;
  }

  /**
   * Decodes the instruction at `start`.
   * @param end of the bytes that are there.
   * @param is32 CS.D: 32-bit operands and addresses by default.
   * @returns false where the instruction goes on beyond `end`.
   * @throws fault `#GP(0)` for more than 15 bytes. An encoding that there isn't decodes to one that
   * raises #UD when it is executed.
   */
  decode(bytes: Uint8Array, start: number, end: number, is32: boolean): boolean {
    this.#begin(bytes, start, end, is32);
    let opcode = this.#prefixes(is32);
    if (opcode === 0x0f) opcode = 0x0f00 | this.#byte();
    if (this.#ranShort()) return false;
    this.opcode = opcode;
    const entry = this.#map.entry(opcode);
    let { encoding } = entry;
    if (entry.hasModrm) {
      const modrm = this.#byte();
      if (this.#ranShort()) return false;
      this.modrm = modrm;
      this.reg = (modrm >> 3) & 7;
      this.rm = modrm & 7;
      encoding = selectEncoding(entry, modrm, this.#map);
      this.isMemory = modrm < 0xc0 && !encoding.ignoresMod;
      if (this.isMemory) this.#memoryOperand();
      const misfit = encoding.modrm === (this.isMemory ? 'register' : 'memory');
      if (misfit) encoding = this.#map.undefinedEncoding;
    } else {
      this.reg = opcode & 7;
    }
    this.#immediates(encoding);
    if (this.#ranShort()) return false;
    if (this.lock && !(encoding.lock && this.isMemory)) encoding = this.#map.undefinedEncoding;
    if (this.#override !== -1) this.segment = this.#override;
    this.encoding = encoding;
    this.length = this.#at - start;
    return true;
  }

  /** The instruction, to be kept. */
  taken(): Decoded {
    return {
      encoding: this.encoding,
      instruction: {
        length: this.length,
        opcode: this.opcode,
        operandSize: this.operandSize,
        addressSize: this.addressSize,
        segment: this.segment,
        modrm: this.modrm,
        reg: this.reg,
        rm: this.rm,
        isMemory: this.isMemory,
        base: this.base,
        index: this.index,
        scale: this.scale,
        displacement: this.displacement,
        immediate: this.immediate,
        immediate2: this.immediate2,
        rep: this.rep,
        lock: this.lock,
      },
    };
  }

  #begin(bytes: Uint8Array, start: number, end: number, is32: boolean): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#at = start;
    this.#end = Math.min(end, start + MAX_INSTRUCTION_BYTES);
    this.#isShort = false;
    this.#override = -1;
    this.operandSize = is32 ? 4 : 2;
    this.addressSize = is32 ? 4 : 2;
    this.segment = L.SEG_DS;
    this.modrm = NO_MODRM;
    this.rm = 0;
    this.isMemory = false;
    this.base = NO_REGISTER;
    this.index = NO_REGISTER;
    this.scale = 0;
    this.displacement = 0;
    this.immediate = 0;
    this.immediate2 = 0;
    this.rep = 0;
    this.lock = false;
  }

  /** Bytes were wanted that are not there. */
  #ranShort(): boolean {
    return this.#isShort;
  }

  #byte(): number {
    if (this.#at >= this.#end) {
      if (this.#at === this.#start + MAX_INSTRUCTION_BYTES) raise(VECTOR_GP);
      this.#isShort = true;
      return 0;
    }
    return this.#bytes[this.#at++];
  }

  #signedByte(): number {
    return (this.#byte() << 24) >> 24;
  }

  #word(): number {
    const low = this.#byte();
    return low | (this.#byte() << 8);
  }

  #signedWord(): number {
    return (this.#word() << 16) >> 16;
  }

  #dword(): number {
    const low = this.#word();
    return low | (this.#word() << 16);
  }

  /** Takes prefixes and returns the first byte that is none. */
  #prefixes(is32: boolean): number {
    for (;;) {
      const byte = this.#byte();
      if (this.#isShort || !this.#takePrefix(byte, is32)) return byte;
    }
  }

  #takePrefix(byte: number, is32: boolean): boolean {
    switch (byte) {
      case 0x26:
        this.#override = L.SEG_ES;
        return true;
      case 0x2e:
        this.#override = L.SEG_CS;
        return true;
      case 0x36:
        this.#override = L.SEG_SS;
        return true;
      case 0x3e:
        this.#override = L.SEG_DS;
        return true;
      case 0x64:
        this.#override = L.SEG_FS;
        return true;
      case 0x65:
        this.#override = L.SEG_GS;
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
  #memoryOperand(): void {
    const mod = this.modrm >> 6;
    const rm = this.modrm & 7;
    if (this.addressSize === 2) this.#memory16(mod, rm);
    else this.#memory32(mod, rm);
    const isStack = this.base === L.EBP || this.base === L.ESP;
    this.segment = isStack ? L.SEG_SS : L.SEG_DS;
  }

  #memory16(mod: number, rm: number): void {
    if (mod === 0 && rm === 6) {
      this.displacement = this.#word();
      return;
    }
    this.base = BASES16[rm];
    this.index = INDEXES16[rm];
    if (mod === 1) this.displacement = this.#signedByte();
    else if (mod === 2) this.displacement = this.#signedWord();
  }

  #memory32(mod: number, rm: number): void {
    let base = rm;
    if (rm === 4) {
      const sib = this.#byte();
      base = sib & 7;
      const index = (sib >> 3) & 7;
      if (index !== 4) {
        this.index = index << 2;
        this.scale = sib >> 6;
      }
    }
    if (mod === 0 && base === 5) {
      this.displacement = this.#dword();
      return;
    }
    this.base = base << 2;
    if (mod === 1) this.displacement = this.#signedByte();
    else if (mod === 2) this.displacement = this.#dword();
  }

  #immediates(encoding: Encoding): void {
    switch (encoding.immediate) {
      case 'none':
        return;
      case 'b':
        this.immediate = this.#byte();
        return;
      case 'sb':
        this.immediate = this.#signedByte();
        return;
      case 'w':
        this.immediate = this.#word();
        return;
      case 'z':
        this.immediate = this.operandSize === 4 ? this.#dword() : this.#signedWord();
        return;
      case 'wb':
        this.immediate = this.#word();
        this.immediate2 = this.#byte();
        return;
      case 'p':
        this.immediate = this.operandSize === 4 ? this.#dword() : this.#word();
        this.immediate2 = this.#word();
        return;
      case 'a':
        this.displacement = this.addressSize === 4 ? this.#dword() : this.#word();
        return;
    }
  }
}

/**
 * Decodes one instruction.
 * @param is32 CS.D: 32-bit operands and addresses by default.
 * @returns null where the instruction goes on beyond `code.end`.
 * @throws fault as `Decoder.decode`.
 */
export function decode(code: CodeBytes, is32: boolean, map: OpcodeMap): Decoded | null {
  const decoder = new Decoder(map);
  return decoder.decode(code.bytes, code.start, code.end, is32) ? decoder.taken() : null;
}
