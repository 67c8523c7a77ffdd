/** The elements of an encoded array, one after the other, each checked as it is taken. */
import { DIGEST_BYTES_MOST } from './event.js';
import { describeValue, elementOffset, unpackValue } from './msgpack.js';
import { Malformed, type MalformedKind } from './trace-damage.js';

/** The least and the most that a whole number may be. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

export const BYTE: Range = { least: 0, most: 0xff };
export const INT32: Range = { least: -(2 ** 31), most: 2 ** 31 - 1 };
export const UINT32: Range = { least: 0, most: 2 ** 32 - 1 };
/** 32 bits, signed or not. */
export const WORD: Range = { least: -(2 ** 31), most: 2 ** 32 - 1 };
export const UINT53: Range = { least: 0, most: Number.MAX_SAFE_INTEGER };

/** A whole number within a range, both ends included. */
export function isWithin(value: unknown, range: Range): value is number {
  return (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value >= range.least &&
    value <= range.most
  );
}

/** Takes the elements of an array in turn. Everything it throws is Malformed, with an offset. */
export class ValueReader {
  readonly #payload: Uint8Array;
  readonly #values: readonly unknown[];
  #next = 0;

  /** @throws Malformed where the payload isn't an array. */
  constructor(payload: Uint8Array) {
    const values = unpackValue(payload);
    if (!Array.isArray(values)) throw new Malformed(0, 'an array', describeValue(values));
    this.#payload = payload;
    this.#values = values;
  }

  get isAtEnd(): boolean {
    return this.#next === this.#values.length;
  }

  /** A whole number within a range, both ends included. */
  integer(range: Range, what: string): number {
    const value = this.#values[this.#next++];
    if (isWithin(value, range)) return value;
    const expected = `${what} from ${range.least} to ${range.most}`;
    throw this.malformed(expected, describeValue(value));
  }

  /** A byte string of at most so many bytes. */
  bytes(most: number, what: string): Uint8Array {
    const value = this.#values[this.#next++];
    if (value instanceof Uint8Array && value.length <= most) return value;
    throw this.malformed(`${what} of at most ${most} bytes`, describeValue(value));
  }

  /** Text. */
  text(what: string): string {
    const value = this.#values[this.#next++];
    if (typeof value === 'string') return value;
    throw this.malformed(what, describeValue(value));
  }

  /** An array of at most so many finite numbers. */
  numbers(most: number, what: string): readonly number[] {
    const value = this.#values[this.#next++];
    const isNumbers =
      Array.isArray(value) && value.length <= most && value.every((each) => Number.isFinite(each));
    if (isNumbers) return value as number[];
    throw this.malformed(`${what}: at most ${most} numbers`, describeValue(value));
  }

  /** Takes an array, and gives its first element, a whole number; null where no array comes next. */
  arrayHead(): number | null {
    const value = this.#values[this.#next];
    if (!Array.isArray(value)) return null;
    this.#next += 1;
    const head = (value as unknown[])[0];
    if (isWithin(head, UINT32)) return head;
    throw this.malformed('an array that starts with a kind', describeValue(head));
  }

  /** What is wrong with the element that was taken last. */
  malformed(expected: string, found: string, kind?: MalformedKind): Malformed {
    return new Malformed(elementOffset(this.#payload, this.#next - 1), expected, found, kind);
  }
}

/** Bytes from their hexadecimal form. @throws Error where the text isn't a digest: a bug. */
export function asBytes(digest: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(digest) || digest.length > 2 * DIGEST_BYTES_MOST) {
    throw new Error(`"${digest}" is not a digest`);
  }
  return Uint8Array.from({ length: digest.length / 2 }, (_, at) =>
    Number.parseInt(digest.slice(2 * at, 2 * at + 2), 16),
  );
}

/** Bytes in lower-case hexadecimal. */
export function asHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
