/** Reads the arguments of a packet from left to right. Nothing here throws; null says "malformed". */
import { fromHex, hexDigit, latin1Text } from '../bytes.js';

/** A cursor over the bytes of a packet behind its name. */
export class PacketReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Steps over a character; false when another one, or none, is next. */
  skip(character: string): boolean {
    if (this.#bytes[this.#at] !== character.charCodeAt(0)) return false;
    this.#at += 1;
    return true;
  }

  /** Steps over a text; false, and nothing is stepped over, when something else is next. */
  skipText(text: string): boolean {
    const next = this.#bytes.subarray(this.#at, this.#at + text.length);
    if (latin1Text(next) !== text) return false;
    this.#at += text.length;
    return true;
  }

  /** The next pairs of hex digits, `length` of them. */
  hexBytesOf(length: number): Uint8Array | null {
    const end = this.#at + 2 * length;
    if (end > this.#bytes.length) return null;
    const digits = latin1Text(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return fromHex(digits);
  }

  /** A hex number of 1 to 32 bits, or null when none is next or it is larger. */
  hex(): number | null {
    let value = 0;
    const start = this.#at;
    for (; this.#at < this.#bytes.length; this.#at++) {
      const digit = hexDigit(this.#bytes[this.#at]);
      if (digit < 0) break;
      value = value * 16 + digit;
      if (value > 0xffff_ffff) return null;
    }
    return this.#at === start ? null : value;
  }

  /** Two hex numbers with a comma between them. */
  hexPair(): readonly [number, number] | null {
    const first = this.hex();
    if (first === null || !this.skip(',')) return null;
    const second = this.hex();
    return second === null ? null : [first, second];
  }

  /**
   * A thread id: hex, `-1` (all), `0` (any), with or without the `p1.` of the multiprocess form.
   * All and any come back as -1 and 0.
   */
  thread(): number | null {
    if (!this.skip('p')) return this.#id();
    const process = this.#id();
    // A process without a thread means all its threads.
    if (process === null) return null;
    return this.skip('.') ? this.#id() : -1;
  }

  #id(): number | null {
    if (this.skip('-')) return this.hex() === 1 ? -1 : null;
    return this.hex();
  }

  /** The characters up to `end`, which is stepped over, or to the end of the packet. */
  textUpTo(end: string): string {
    const found = this.#bytes.indexOf(end.charCodeAt(0), this.#at);
    const stop = found < 0 ? this.#bytes.length : found;
    const text = latin1Text(this.#bytes.subarray(this.#at, stop));
    this.#at = found < 0 ? stop : stop + 1;
    return text;
  }

  /** The rest as characters. */
  text(): string {
    return latin1Text(this.rest());
  }

  /** The rest as the bytes that its pairs of hex digits stand for. */
  hexBytes(): Uint8Array | null {
    return fromHex(this.text());
  }

  /** The rest as it is. */
  rest(): Uint8Array {
    const rest = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return rest;
  }
}
