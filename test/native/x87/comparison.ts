/** Asks both processors, and tells what they answer differently. */
import type { EmulatedProcessor } from './emulated.js';
import type { NativeProcessor } from './native.js';
import * as N from './native.js';

const REGISTER_BYTES = 10;
const STACK = N.RECORD_STATE + N.STATE_STACK;

/** What of two answers to one case is compared. */
export type Mask = (record: Buffer) => void;

/** Sets to zero what isn't compared: the instruction's state after a signal. */
function blank(record: Buffer, mask: Mask): void {
  if (record.readUInt32LE(N.RECORD_SIGNAL) === 0) {
    mask(record);
    return;
  }
  record.fill(0, N.RECORD_STATE, N.RECORD_SIGNAL);
}

/** What to do with two sets of answers before they are compared. */
export type Alignment = (want: Buffer, got: Buffer) => void;

export interface Comparison {
  readonly mask?: Mask;
  readonly align?: Alignment;
}

/**
 * How often the processor is asked in all. A kernel that switches tasks between two instructions of
 * execute.c may lose the pointers of the x87: AMD's FXSAVE leaves them out while no exception waits, and
 * its 64-bit form has no selectors. It hardly does so twice in the same case.
 */
const ASKED = 4;
const SHOWN = 3;

/** The cases that the two processors answer differently, as text: the first of them. Empty if none. */
export function compare(
  cases: Buffer,
  native: NativeProcessor,
  emulated: EmulatedProcessor,
  { mask = () => undefined, align = () => undefined }: Comparison = {},
): string {
  const answers = emulated.run(cases);
  let inputs = cases;
  let got = answers;
  let differing: number[] = [];
  for (let asked = 0; asked < ASKED; asked++) {
    const want = native.run(inputs);
    const mine = Buffer.from(got);
    align(want, mine);
    differing = differences(want, mine, mask);
    if (differing.length === 0) return '';
    if (asked === ASKED - 1) return describeFirst(inputs, want, mine, differing);
    inputs = pick(inputs, differing);
    got = pick(got, differing);
  }
  return '';
}

function recordAt(records: Buffer, index: number): Buffer {
  return records.subarray(index * N.RECORD_BYTES, (index + 1) * N.RECORD_BYTES);
}

function pick(records: Buffer, indices: readonly number[]): Buffer {
  return Buffer.concat(indices.map((index) => recordAt(records, index)));
}

function differences(want: Buffer, got: Buffer, mask: Mask): number[] {
  const found: number[] = [];
  for (let index = 0; index * N.RECORD_BYTES < want.length; index++) {
    const a = recordAt(want, index);
    const b = recordAt(got, index);
    blank(a, mask);
    blank(b, mask);
    if (!a.equals(b)) found.push(index);
  }
  return found;
}

function describeFirst(
  inputs: Buffer,
  want: Buffer,
  got: Buffer,
  differing: readonly number[],
): string {
  return differing
    .slice(0, SHOWN)
    .map((index) => {
      const [input, a, b] = [inputs, want, got].map((records) =>
        describe(recordAt(records, index)),
      );
      return `in:   ${input}\nwant: ${a}\ngot:  ${b}`;
    })
    .join('\n');
}

function describe(record: Buffer): string {
  const word = (at: number): string => record.readUInt32LE(N.RECORD_STATE + at).toString(16);
  const registers = Array.from({ length: 4 }, (_, i) => {
    const at = STACK + i * REGISTER_BYTES;
    const high = record
      .readUInt32LE(at + 4)
      .toString(16)
      .padStart(8, '0');
    const low = record.readUInt32LE(at).toString(16).padStart(8, '0');
    return `${record
      .readUInt16LE(at + 8)
      .toString(16)
      .padStart(4, '0')}:${high}${low}`;
  });
  const pointers = `${word(12)} ${word(16)} ${word(20)} ${word(24)}`;
  const memory = record.subarray(N.RECORD_OPERAND, N.RECORD_OPERAND + 10).toString('hex');
  const eflags = record.readUInt32LE(N.RECORD_EFLAGS).toString(16);
  const signal = record.readUInt32LE(N.RECORD_SIGNAL);
  return `cw ${word(0)} sw ${word(4)} tw ${word(8)} ${registers.join(' ')} | ${pointers} | ${memory} | fl ${eflags} sig ${signal}`;
}
