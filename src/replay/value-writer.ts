/**
 * The elements of an array, encoded one after the other: the bytes that `packValue` makes of an array of
 * whole numbers and byte strings, without the array. A guest that waits for a time asks for it millions of
 * times a second, and each of its questions is an event.
 */

/** Room for the head of the array, which is known last. */
const HEAD_MOST = 5;
/** The most bytes of a whole number, or of the head of a byte string. */
const VALUE_MOST = 9;

/** Encodes what a `ValueReader` takes apart. */
export class ValueWriter {
  #bytes = new Uint8Array(1 << 12);
  #view = new DataView(this.#bytes.buffer);
  #end = HEAD_MOST;
  #count = 0;

  /** How many values there are. */
  get count(): number {
    return this.#count;
  }

  /** How many bytes they take, without the head of the array. */
  get byteLength(): number {
    return this.#end - HEAD_MOST;
  }

  /** Appends a whole number of at most 53 bits. */
  integer(value: number): void {
    if (this.#end + VALUE_MOST > this.#bytes.length) this.#grow(VALUE_MOST);
    const bytes = this.#bytes;
    const at = this.#end;
    this.#count += 1;
    if (value >= 0 ? value < 0x80 : value >= -0x20) {
      bytes[at] = value;
      this.#end = at + 1;
    } else if (value >= 0 ? value < 0x100 : value >= -0x80) {
      bytes[at] = value >= 0 ? 0xcc : 0xd0;
      bytes[at + 1] = value;
      this.#end = at + 2;
    } else if (value >= 0 ? value < 0x10000 : value >= -0x8000) {
      bytes[at] = value >= 0 ? 0xcd : 0xd1;
      this.#view.setInt16(at + 1, value);
      this.#end = at + 3;
    } else if (value >= 0 ? value <= 0xffffffff : value >= -0x80000000) {
      bytes[at] = value >= 0 ? 0xce : 0xd2;
      this.#view.setInt32(at + 1, value);
      this.#end = at + 5;
    } else {
      bytes[at] = 0xcb;
      this.#view.setFloat64(at + 1, value);
      this.#end = at + 9;
    }
  }

  /** Appends a byte string. */
  binary(value: Uint8Array): void {
    const { length } = value;
    this.#grow(VALUE_MOST + length);
    const size = length < 0x100 ? 0 : length < 0x10000 ? 1 : 2;
    this.#bytes[this.#end] = 0xc4 + size;
    this.#end = this.#putLength(this.#end + 1, length, size);
    this.#bytes.set(value, this.#end);
    this.#end += length;
    this.#count += 1;
  }

  /** Takes back what was appended since there were so many values of so many bytes. */
  cutTo(count: number, byteLength: number): void {
    this.#count = count;
    this.#end = HEAD_MOST + byteLength;
  }

  /** The array; good until something is appended. */
  payload(): Uint8Array {
    const count = this.#count;
    const size = count < 0x10 ? 0 : count < 0x10000 ? 1 : 2;
    const headBytes = [1, 3, 5][size];
    const start = HEAD_MOST - headBytes;
    this.#bytes[start] = size === 0 ? 0x90 | count : 0xdb + size;
    if (size > 0) this.#putLength(start + 1, count, size);
    return this.#bytes.subarray(start, this.#end);
  }

  /** Writes a length of 1, 2 or 4 bytes; the offset behind it. */
  #putLength(at: number, length: number, size: number): number {
    if (size === 0) this.#view.setUint8(at, length);
    else if (size === 1) this.#view.setUint16(at, length);
    else this.#view.setUint32(at, length);
    return at + 2 ** size;
  }

  #grow(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
