/** What the transcendental functions are measured on: operands by range, and the exact value. */
import { EmulatedProcessor } from './emulated.js';
import * as exact from './exact-functions.js';
import { type Form, FUNCTION_FORMS } from './forms.js';
import * as N from './native.js';
import { Random, type Value } from './random.js';

/** Exponents of random operands, unbiased, both included. */
type Range = readonly [lowest: number, highest: number];

export interface Measured {
  readonly name: string;
  readonly form: string;
  /** Of ST(0) and, where there is one, of ST(1). */
  readonly st0: Range;
  readonly st1?: Range;
  /** ST(0) is positive. */
  readonly isPositive?: true;
  /** Which register after the instruction has the result. */
  readonly at?: 1;
  readonly exact: (st0: bigint, st1: bigint) => bigint;
}

// biome-ignore format: table
export const MEASURED: readonly Measured[] = [
  { name: 'FSIN',    form: 'fsin',    st0: [-40, -3], exact: exact.sine },
  { name: 'FSIN',    form: 'fsin',    st0: [-2, 3],   exact: exact.sine },
  { name: 'FSIN',    form: 'fsin',    st0: [4, 62],   exact: exact.sine },
  { name: 'FCOS',    form: 'fcos',    st0: [-40, -3], exact: exact.cosine },
  { name: 'FCOS',    form: 'fcos',    st0: [-2, 3],   exact: exact.cosine },
  { name: 'FCOS',    form: 'fcos',    st0: [4, 62],   exact: exact.cosine },
  { name: 'FSINCOS, sine',   form: 'fsincos', st0: [-10, 62], exact: exact.sine, at: 1 },
  { name: 'FSINCOS, cosine', form: 'fsincos', st0: [-10, 62], exact: exact.cosine },
  { name: 'FPTAN',   form: 'fptan',   st0: [-40, -3], exact: exact.tangent, at: 1 },
  { name: 'FPTAN',   form: 'fptan',   st0: [-2, 3],   exact: exact.tangent, at: 1 },
  { name: 'FPTAN',   form: 'fptan',   st0: [4, 62],   exact: exact.tangent, at: 1 },
  { name: 'FPATAN',  form: 'fpatan',  st0: [-4, 4],   st1: [-4, 4], exact: (x, y) => exact.angle(y, x) },
  { name: 'FPATAN',  form: 'fpatan',  st0: [-30, 30], st1: [-30, 30], exact: (x, y) => exact.angle(y, x) },
  { name: 'F2XM1',   form: 'f2xm1',   st0: [-40, -6], exact: exact.powerLessOne },
  { name: 'F2XM1',   form: 'f2xm1',   st0: [-5, -1],  exact: exact.powerLessOne },
  { name: 'FYL2X',   form: 'fyl2x',   st0: [-1, 0],   st1: [-20, 20], isPositive: true, exact: (x, y) => exact.timesLogarithm(y, x) },
  { name: 'FYL2X',   form: 'fyl2x',   st0: [-100, 100], st1: [-20, 20], isPositive: true, exact: (x, y) => exact.timesLogarithm(y, x) },
  { name: 'FYL2XP1', form: 'fyl2xp1', st0: [-60, -10], st1: [-20, 20], exact: (x, y) => exact.timesLogarithmOfOnePlus(y, x) },
  { name: 'FYL2XP1', form: 'fyl2xp1', st0: [-9, -3],  st1: [-20, 20], exact: (x, y) => exact.timesLogarithmOfOnePlus(y, x) },
];

const EXPONENT_BIAS = 16383;
const REGISTER_BYTES = 10;
const STACK = N.RECORD_STATE + N.STATE_STACK;
/** All exceptions masked, 64 bits, to nearest. */
const CONTROL = 0x37f;
/** ST(0) and ST(1) are R0 and R1; the rest is empty. */
const TAGS = 0xfff0;

function operand(random: Random, [lowest, highest]: Range, isPositive: boolean): Value {
  const exponent = EXPONENT_BIAS + lowest + random.below(highest - lowest + 1);
  const sign = !isPositive && random.chance(2) ? 0x8000 : 0;
  return [sign | exponent, random.bits() | 0x80000000, random.bits()];
}

function put(record: Buffer, i: number, [signExponent, high, low]: Value): void {
  const at = STACK + i * REGISTER_BYTES;
  record.writeInt32LE(low | 0, at);
  record.writeInt32LE(high | 0, at + 4);
  record.writeUInt16LE(signExponent, at + 8);
}

function take(record: Buffer, i: number): Value {
  const at = STACK + i * REGISTER_BYTES;
  return [record.readUInt16LE(at + 8), record.readInt32LE(at + 4), record.readInt32LE(at)];
}

function codeOf(name: string): Form {
  const form = FUNCTION_FORMS.find((candidate) => candidate.name === name);
  if (form === undefined) throw new Error(`there is no form ${name}`);
  return form;
}

function makeRecords(measured: Measured, count: number, seed: number): Buffer {
  const random = new Random(seed);
  const { code } = codeOf(measured.form);
  const records = Buffer.alloc(count * N.RECORD_BYTES);
  for (let i = 0; i < count; i++) {
    const record = records.subarray(i * N.RECORD_BYTES, (i + 1) * N.RECORD_BYTES);
    record[N.RECORD_CODE] = code.length;
    record.set(code, N.RECORD_CODE + 1);
    record.writeUInt32LE(CONTROL, N.RECORD_STATE);
    record.writeUInt32LE(TAGS | (measured.st1 === undefined ? 0xc : 0), N.RECORD_STATE + 8);
    put(record, 0, operand(random, measured.st0, measured.isPositive === true));
    if (measured.st1 !== undefined) put(record, 1, operand(random, measured.st1, false));
  }
  return records;
}

/** What was found for one row of MEASURED. */
export interface Accuracy {
  readonly name: string;
  readonly range: string;
  readonly count: number;
  /** Furthest from the exact value, in units of the last place. */
  readonly worst: number;
  /** Furthest from the native processor's result, in units of the last place; null without one. */
  readonly worstToNative: number | null;
  /** Results that are the native processor's, to the bit. */
  readonly sameAsNative: number | null;
  /** The native processor's own distance from the exact value. */
  readonly worstOfNative: number | null;
}

/** A magnitude as a whole number that counts places, so that neighbours differ by one. */
function ordinal([signExponent, high, low]: Value): bigint {
  const exponent = BigInt(signExponent & 0x7fff);
  const magnitude = (exponent << 63n) + ((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
  return signExponent & 0x8000 ? -magnitude : magnitude;
}

/** Measures one row. */
export function measure(
  measured: Measured,
  count: number,
  seed: number,
  native: N.NativeProcessor | null,
): Accuracy {
  const records = makeRecords(measured, count, seed);
  const ours = new EmulatedProcessor().run(records);
  const theirs = native?.run(records) ?? null;
  let worst = 0;
  let worstToNative = 0;
  let worstOfNative = 0;
  let same = 0;
  for (let i = 0; i < count; i++) {
    const part = (buffer: Buffer): Buffer =>
      buffer.subarray(i * N.RECORD_BYTES, (i + 1) * N.RECORD_BYTES);
    const input = part(records);
    const expected = measured.exact(exact.fixed(take(input, 0)), exact.fixed(take(input, 1)));
    const result = take(part(ours), measured.at ?? 0);
    worst = Math.max(worst, exact.errorInUlps(result, expected));
    if (theirs === null) continue;
    const other = take(part(theirs), measured.at ?? 0);
    const distance = Math.abs(Number(ordinal(result) - ordinal(other)));
    worstToNative = Math.max(worstToNative, distance);
    worstOfNative = Math.max(worstOfNative, exact.errorInUlps(other, expected));
    if (distance === 0) same += 1;
  }
  const text = ([lowest, highest]: Range): string => `2^${lowest} to 2^${highest + 1}`;
  const range = measured.st1 === undefined ? '' : `, ${text(measured.st1)}`;
  return {
    name: measured.name,
    range: text(measured.st0) + range,
    count,
    worst,
    worstToNative: theirs === null ? null : worstToNative,
    sameAsNative: theirs === null ? null : same,
    worstOfNative: theirs === null ? null : worstOfNative,
  };
}
