/** The emulated x87 behind the same records as the native one, see execute.c. */
import { Cpu } from '../../../src/cpu/cpu.js';
import { type Decoded, decode } from '../../../src/cpu/decoder/decode.js';
import { readEflags, writeEflags } from '../../../src/cpu/eflags.js';
import { fault, VECTOR_MF, VECTOR_UD } from '../../../src/cpu/fault.js';
import { I386 } from '../../../src/cpu/isa/instruction-set.js';
import { setCpl, setSegment } from '../../../src/cpu/segmentation.js';
import type { SegmentIndex } from '../../../src/cpu/state.js';
import * as L from '../../../src/cpu/state-layout.js';
import * as N from './native.js';

const CODE = 0x1000;
const OPERAND = 0x2000;
const STATE = 0x3000;
const RAM_BYTES = 0x10000;
/** Selectors that Linux gives 32-bit programs. */
const USER_CODE = 0x23;
const USER_DATA = 0x2b;
const ARITHMETIC = 0x8d5;
const SIGNALS = new Map([
  [VECTOR_UD, 4],
  [VECTOR_MF, 8],
]);

/** The bytes of one instruction, decoded for 32-bit code. */
function decoded(bytes: Uint8Array): Decoded {
  const result = decode({ bytes, start: 0, end: bytes.length }, true, I386);
  if (result === null) throw new Error('the instruction is cut off');
  return result;
}

function absolute(opcode: number, reg: number, address: number): Decoded {
  const bytes = new Uint8Array(6);
  bytes.set([opcode, (reg << 3) | 5]);
  new DataView(bytes.buffer).setUint32(2, address, true);
  return decoded(bytes);
}

const FRSTOR = absolute(0xdd, 4, STATE);
const FNSAVE = absolute(0xdd, 6, STATE);

export class EmulatedProcessor {
  readonly #cpu: Cpu;
  readonly #ram: Uint8Array;
  #last: { readonly code: Buffer; readonly decoded: Decoded } | null = null;

  constructor() {
    this.#cpu = new Cpu(
      RAM_BYTES,
      { read: () => -1, write: () => undefined },
      {
        readPort: () => -1,
        writePort: () => undefined,
        acknowledgeInterrupt: () => 0,
        readTimestamp: () => 0,
      },
    );
    const { core } = this.#cpu;
    this.#ram = core.physical.ram;
    core.state.set(L.CR0, 0x31);
    setSegment(core, L.SEG_CS, USER_CODE, 0, -1, 0xc0fb);
    const data: SegmentIndex[] = [L.SEG_ES, L.SEG_SS, L.SEG_DS];
    for (const segment of data) setSegment(core, segment, USER_DATA, 0, -1, 0xc0f3);
    setCpl(core, 3);
  }

  /** @param records of RECORD_BYTES each, one behind the other. */
  run(records: Uint8Array): Buffer {
    const answers = Buffer.from(records);
    for (let at = 0; at < answers.length; at += N.RECORD_BYTES) {
      this.#runOne(answers.subarray(at, at + N.RECORD_BYTES));
    }
    return answers;
  }

  #runOne(record: Buffer): void {
    const { state } = this.#cpu.core;
    const ram = this.#ram;
    ram.set(record.subarray(N.RECORD_STATE, N.RECORD_STATE + N.STATE_BYTES), STATE);
    ram.set(record.subarray(N.RECORD_OPERAND, N.RECORD_OPERAND + N.OPERAND_BYTES), OPERAND);
    state.eip = CODE;
    this.#execute(FRSTOR);
    state.setReg32(0, record.readInt32LE(N.RECORD_EAX));
    state.setReg32(3, OPERAND);
    writeEflags(state, record.readInt32LE(N.RECORD_EFLAGS), ARITHMETIC);
    const signal = this.#execute(this.#instructionOf(record));
    record.writeInt32LE(signal, N.RECORD_SIGNAL);
    this.#execute(FNSAVE);
    record.set(ram.subarray(STATE, STATE + N.STATE_BYTES), N.RECORD_STATE);
    record.set(ram.subarray(OPERAND, OPERAND + N.OPERAND_BYTES), N.RECORD_OPERAND);
    record.writeInt32LE(state.reg32(0), N.RECORD_EAX);
    record.writeInt32LE(readEflags(state) & ARITHMETIC, N.RECORD_EFLAGS);
  }

  /** Decodes anew where it is not the instruction of the last record. */
  #instructionOf(record: Buffer): Decoded {
    const code = record.subarray(1, 1 + record[N.RECORD_CODE]);
    if (this.#last === null || !code.equals(this.#last.code)) {
      this.#last = { code: Buffer.from(code), decoded: decoded(code) };
    }
    return this.#last.decoded;
  }

  /** The signal that Linux would give the program, 0 for none. */
  #execute({ encoding, instruction }: Decoded): number {
    try {
      encoding.procedure?.(this.#cpu.core, instruction);
      return 0;
    } catch (thrown) {
      if (thrown !== fault) throw thrown;
      return SIGNALS.get(fault.vector) ?? 11;
    }
  }
}
