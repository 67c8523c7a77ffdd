/** Random cases for a form, as records for both processors, and what their answers differ in. */
import type { Form } from './forms.js';
import * as N from './native.js';
import { exponentOfCase, Random, type Value, value } from './random.js';

const REGISTERS = 8;
const REGISTER_BYTES = 10;
const CONTROL = N.RECORD_STATE;
const STATUS = N.RECORD_STATE + 4;
const TAGS = N.RECORD_STATE + 8;
/** Instruction pointer, code selector and opcode, data pointer, data selector. */
const POINTERS = N.RECORD_STATE + 12;
const STACK = N.RECORD_STATE + N.STATE_STACK;
const ALL_MASKED = 0x3f;
const CONDITION = 0x4700;

/** How much of the unusual a set of cases has. */
export interface CaseOptions {
  /** Exceptions may be unmasked, and one may wait already. */
  readonly unmasks: boolean;
  /** Registers may be empty or the stack full. */
  readonly faultsStack: boolean;
}

function putValue(record: Buffer, at: number, [signExponent, high, low]: Value): void {
  record.writeInt32LE(low | 0, at);
  record.writeInt32LE(high | 0, at + 4);
  record.writeUInt16LE(signExponent, at + 8);
}

function putMemory(record: Buffer, form: Form, random: Random, around: number): void {
  for (let i = 0; i < N.OPERAND_BYTES; i += 4)
    record.writeUInt32LE(random.bits(), N.RECORD_OPERAND + i);
  switch (form.memory) {
    case 'extended':
      putValue(record, N.RECORD_OPERAND, value(random, around));
      return;
    case 'decimal':
      for (let i = 0; i < 9; i++) {
        record[N.RECORD_OPERAND + i] = random.below(10) * 16 + random.below(10);
      }
      record[N.RECORD_OPERAND + 9] &= 0x80;
      return;
    case 'single':
      record.writeUInt32LE(narrow(random, 8, 23), N.RECORD_OPERAND);
      return;
    case 'double':
      record.writeUInt32LE(narrow(random, 11, 20), N.RECORD_OPERAND + 4);
      if (random.chance(3)) record.writeUInt32LE(0, N.RECORD_OPERAND);
      return;
    case 'integer':
      if (random.chance(2)) {
        const small = random.below(2000) - 1000;
        record.writeInt32LE(small, N.RECORD_OPERAND);
        record.writeInt32LE(small >> 31, N.RECORD_OPERAND + 4);
      }
      return;
    default:
  }
}

/** The word with sign and exponent of a single or double: often of special meaning. */
function narrow(random: Random, exponentBits: number, fractionBits: number): number {
  const max = 2 ** exponentBits - 1;
  const middle = (max - 1) / 2;
  const exponent = random.pick([0, 0, max, random.below(max), middle, middle + random.below(30)]);
  const fraction = random.chance(4) ? random.pick([0, 1]) : random.bits() >>> (32 - fractionBits);
  return (((random.bits() & 1) << 31) | (exponent << fractionBits) | fraction) >>> 0;
}

/** One record for each case. */
export function makeCases(form: Form, count: number, seed: number, options: CaseOptions): Buffer {
  const random = new Random(seed);
  const records = Buffer.alloc(count * N.RECORD_BYTES);
  for (let i = 0; i < count; i++) {
    const record = records.subarray(i * N.RECORD_BYTES, (i + 1) * N.RECORD_BYTES);
    putCase(record, form, random, options);
  }
  return records;
}

function putCase(record: Buffer, form: Form, random: Random, options: CaseOptions): void {
  const around = exponentOfCase(random);
  record[N.RECORD_CODE] = form.code.length;
  record.set(form.code, N.RECORD_CODE + 1);
  let masks = ALL_MASKED;
  if (options.unmasks)
    masks = random.chance(2) ? ALL_MASKED ^ (1 << random.below(6)) : random.below(64);
  record.writeUInt32LE((random.below(16) << 8) | masks, CONTROL);
  const top = random.below(REGISTERS);
  let status = (top << 11) | (random.bits() & CONDITION);
  if (options.unmasks && random.chance(10)) status |= random.below(64);
  record.writeUInt32LE(status, STATUS);
  record.writeUInt32LE(tagsFor(random, top, options), TAGS);
  // Not zero, which would look like pointers that were lost.
  for (let at = POINTERS; at < STACK; at += 4) record.writeUInt32LE(random.below(0xffff) + 1, at);
  for (let i = 0; i < REGISTERS; i++) {
    putValue(record, STACK + i * REGISTER_BYTES, value(random, around));
  }
  if (random.chance(6)) {
    // Equal operands, or ones that differ in the sign alone.
    record.copy(record, STACK + REGISTER_BYTES, STACK, STACK + REGISTER_BYTES);
    if (random.chance(2)) record[STACK + 2 * REGISTER_BYTES - 1] ^= 0x80;
  }
  record.writeUInt32LE(random.bits(), N.RECORD_EAX);
  record.writeUInt32LE(random.bits() & 0x8d5, N.RECORD_EFLAGS);
  putMemory(record, form, random, around);
}

function tagsFor(random: Random, top: number, options: CaseOptions): number {
  let empty = 1 << ((top + 7) & 7);
  if (options.faultsStack && random.chance(3)) empty = random.below(256);
  let tags = 0;
  for (let n = 0; n < REGISTERS; n++) {
    if ((empty >> n) & 1) tags |= 3 << (2 * n);
  }
  return tags >>> 0;
}
