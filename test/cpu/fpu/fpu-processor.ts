/** A processor whose x87 instructions are given as bytes, after FNINIT, with CR0.NE set. */
import { CR0_NE } from '../../../src/cpu/control-registers.js';
import { type Decoded, decode } from '../../../src/cpu/decoder/decode.js';
import { tagWord } from '../../../src/cpu/fpu/instructions/environment.js';
import { wordOf } from '../../../src/cpu/fpu/registers.js';
import { I386 } from '../../../src/cpu/isa/instruction-set.js';
import * as L from '../../../src/cpu/state-layout.js';
import { DATA, type Outcome, TestProcessor } from '../system/processor.js';

/** Memory operands of the tests: [DATA], by an absolute address. */
export function memory(opcode: number, reg: number, address = DATA): number[] {
  return [opcode, (reg << 3) | 5, address, address >> 8, address >> 16, address >> 24].map(
    (byte) => byte & 0xff,
  );
}

export const FNINIT = [0xdb, 0xe3];
export const FLD1 = [0xd9, 0xe8];
export const FLDZ = [0xd9, 0xee];
export const FLDPI = [0xd9, 0xeb];
export const FADD = [0xd8, 0xc1];
export const FDIVP = [0xde, 0xf9];
export const WAIT = [0x9b];

export class FpuProcessor extends TestProcessor {
  constructor() {
    super();
    this.state.set(L.CR0, this.state.cr0 | CR0_NE);
    this.run(FNINIT);
  }

  /** Executes one instruction of 32-bit code, or of 16-bit code, by CS.D. */
  run(bytes: readonly number[]): Outcome {
    const { encoding, instruction } = this.#decode(bytes);
    if (encoding.procedure === null) throw new Error('the instruction is no procedure');
    return this.execute(encoding.procedure, instruction);
  }

  /** As `run`, for one that does not fault: nothing is compared before and after. */
  perform(bytes: readonly number[]): void {
    const { encoding, instruction } = this.#decode(bytes);
    encoding.procedure?.(this.core, instruction);
  }

  #decode(bytes: readonly number[]): Decoded {
    const is32 = (this.state.get(L.MODE) & L.MODE_CODE32) !== 0;
    const code = Uint8Array.from(bytes);
    const decoded = decode({ bytes: code, start: 0, end: code.length }, is32, I386);
    if (decoded === null) throw new Error('the instruction is cut off');
    return decoded;
  }

  get control(): number {
    return this.state.get(L.FPU_CONTROL);
  }
  set control(value: number) {
    this.poke(DATA, 2, value);
    this.perform(memory(0xd9, 5));
  }

  get status(): number {
    return this.state.get(L.FPU_STATUS);
  }

  get tags(): number {
    return tagWord(this.state);
  }

  /** ST(i): sign and exponent, a colon, and the significand, in hexadecimal. */
  st(i: number): string {
    const at = wordOf(this.state, i);
    const text = (word: number, digits: number): string =>
      (this.state.i32[at + word] >>> 0).toString(16).padStart(digits, '0');
    return `${text(2, 4)}:${text(1, 8)}${text(0, 8)}`;
  }

  /** FLD of a value given as `st` prints it. */
  load(value: string): void {
    const [signExponent, significand] = value.split(':');
    this.poke(DATA, 4, Number.parseInt(significand.slice(8), 16) | 0);
    this.poke(DATA + 4, 4, Number.parseInt(significand.slice(0, 8), 16) | 0);
    this.poke(DATA + 8, 2, Number.parseInt(signExponent, 16));
    this.perform(memory(0xdb, 5));
  }

  /** FLD of a double. */
  loadDouble(value: number): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value, true);
    this.poke(DATA, 4, view.getInt32(0, true));
    this.poke(DATA + 4, 4, view.getInt32(4, true));
    this.perform(memory(0xdd, 0));
  }

  /** FSTP to a double. */
  storeDouble(): number {
    this.perform(memory(0xdd, 3));
    const view = new DataView(new ArrayBuffer(8));
    view.setUint32(0, this.dword(DATA), true);
    view.setUint32(4, this.dword(DATA + 4), true);
    return view.getFloat64(0, true);
  }
}
