/**
 * Hexadecimal and little-endian forms of bytes, as packets carry them.
 * GDB manual, "Overview" of the remote protocol: numbers are hex, big end first; registers and memory
 * are hex pairs in the target's own byte order.
 */

const DIGITS = '0123456789abcdef';

/** The bytes of a text whose characters are all below U+0100; packets are made of such. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}

/** The text whose characters are the bytes; inverse of `latin1`. */
export function latin1Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** Two lower-case hex digits a byte. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** Hex pairs of the UTF-8 bytes of a text, as console output and thread descriptions travel. */
export function textToHex(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex');
}

/** The bytes that pairs of hex digits stand for, or null when it isn't pairs of hex digits. */
export function fromHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = hexDigit(text.charCodeAt(2 * i));
    const low = hexDigit(text.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) return null;
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}

/** The value of an ASCII hex digit of either case, or -1. */
export function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}

/** One byte as two hex digits. */
export function hexByte(byte: number): string {
  return DIGITS[(byte >> 4) & 15] + DIGITS[byte & 15];
}

/** A number as hex without leading zeros; a negative 32-bit one as the unsigned one of the same bits. */
export function hexNumber(value: number): string {
  return (value < 0 ? value >>> 0 : value).toString(16);
}

/**
 * A number, low byte first.
 * @param value signed or unsigned 32 bits, or a whole number from 0 to 2^53 - 1.
 * @param length bytes of the result; those beyond the eighth are zero.
 */
export function littleEndian(value: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const low = value >>> 0;
  const high = value < 0 ? 0 : Math.floor(value / 0x1_0000_0000);
  for (let i = 0; i < Math.min(length, 4); i++) bytes[i] = low >>> (8 * i);
  for (let i = 4; i < Math.min(length, 8); i++) bytes[i] = high >>> (8 * (i - 4));
  return bytes;
}

/** The unsigned number of up to four bytes, low byte first. */
export function fromLittleEndian(bytes: Uint8Array): number {
  let value = 0;
  for (let i = Math.min(bytes.length, 4) - 1; i >= 0; i--) value = ((value << 8) | bytes[i]) >>> 0;
  return value;
}
