/**
 * MessagePack as traces use it: one value of numbers, strings, byte strings, nil, arrays and maps.
 *
 * msgpackr does the work, but untrusted bytes reach it only after `valueEnd` has walked over them: by
 * then every length and count is known to fit, nesting is shallow, and there is no extension type, whose
 * readers could do more than read.
 *
 * https://github.com/msgpack/msgpack/blob/master/spec.md
 */
// The part without native code, whose own types don't resolve.
import type { Packr as PackrClass } from 'msgpackr';
import { Packr } from 'msgpackr/pack';
import { Malformed } from './trace-damage.js';

// No private record extension, short map headers, and bytes that outlive the buffer they came in.
const packr = new (Packr as typeof PackrClass)({
  useRecords: false,
  variableMapSize: true,
  copyBuffers: true,
  mapsAsObjects: false,
});

/** How deep arrays and maps may nest. */
const DEPTH_MOST = 8;

/** Encodes one value. Whole numbers beyond 32 bits become float64. */
export function packValue(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** Decodes exactly one value. Maps become `Map`s. @throws Malformed where the bytes are anything else. */
export function unpackValue(bytes: Uint8Array): unknown {
  const end = valueEnd(bytes, 0);
  if (end !== bytes.length) {
    throw new Malformed(end, 'the end of the payload', `${bytes.length - end} more bytes`);
  }
  try {
    // A view of its own, since msgpackr keeps a DataView as a property of what it is given.
    return packr.unpack(bytes.subarray());
  } catch (error) {
    throw new Malformed(0, 'a MessagePack value', String(error));
  }
}

/** A short name for a value that stands where another was expected. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'bigint' || value === null)
    return String(value);
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return value instanceof Map ? 'a map' : typeof value;
}

/** Where the element of an encoded array starts, in bytes from the start of `bytes`. */
export function elementOffset(bytes: Uint8Array, index: number): number {
  let at = bytes[0] === 0xdc ? 3 : bytes[0] === 0xdd ? 5 : 1;
  for (let i = 0; i < index; i++) at = valueEnd(bytes, at);
  return at;
}

/** How many bytes msgpackr takes for a whole number. */
export function integerBytes(value: number): number {
  if (value >= 0)
    return value < 0x80 ? 1 : value < 0x100 ? 2 : value < 0x10000 ? 3 : value <= 0xffffffff ? 5 : 9;
  return value >= -0x20
    ? 1
    : value >= -0x80
      ? 2
      : value >= -0x8000
        ? 3
        : value >= -0x80000000
          ? 5
          : 9;
}

/** Bytes of a value of fixed size, by its first byte less 0xc0; 0 for what isn't of fixed size. */
// biome-ignore format: table
const FIXED_BYTES = [
  // nil  -  false true  bin8 bin16 bin32 ext...         f32 f64  u8 u16 u32 u64
     1,   0, 1,    1,    0,   0,    0,    0, 0, 0,       5,  9,   2, 3,  5,  9,
  // i8 i16 i32 i64  fixext...       str8 str16 str32  array16 array32 map16 map32
     2, 3,  5,  9,   0, 0, 0, 0, 0,  0,   0,    0,     0,      0,      0,    0,
];

/**
 * The offset behind the value that starts at `start`, found without allocating anything.
 * @throws Malformed where no whole value of an allowed type starts there.
 */
function valueEnd(bytes: Uint8Array, start: number, depth = 0): number {
  if (start >= bytes.length) throw new Malformed(start, 'a value', 'the end of the payload');
  const first = bytes[start];
  if (first < 0x80 || first >= 0xe0) return start + 1;
  if (first < 0x90) return elementsEnd(bytes, start, start + 1, 2 * (first & 0xf), depth);
  if (first < 0xa0) return elementsEnd(bytes, start, start + 1, first & 0xf, depth);
  if (first < 0xc0) return within(bytes, start, start + 1 + (first & 0x1f));
  const fixed = FIXED_BYTES[first - 0xc0];
  if (fixed > 0) return within(bytes, start, start + fixed);
  switch (first) {
    case 0xc4: // bin 8
    case 0xd9: // str 8
      return within(bytes, start, start + 2 + bigEndian(bytes, start, 1));
    case 0xc5: // bin 16
    case 0xda: // str 16
      return within(bytes, start, start + 3 + bigEndian(bytes, start, 2));
    case 0xc6: // bin 32
    case 0xdb: // str 32
      return within(bytes, start, start + 5 + bigEndian(bytes, start, 4));
    case 0xdc: // array 16
      return elementsEnd(bytes, start, start + 3, bigEndian(bytes, start, 2), depth);
    case 0xdd: // array 32
      return elementsEnd(bytes, start, start + 5, bigEndian(bytes, start, 4), depth);
    case 0xde: // map 16
      return elementsEnd(bytes, start, start + 3, 2 * bigEndian(bytes, start, 2), depth);
    case 0xdf: // map 32
      return elementsEnd(bytes, start, start + 5, 2 * bigEndian(bytes, start, 4), depth);
    default:
      throw new Malformed(start, 'a value that a trace may hold', `type 0x${first.toString(16)}`);
  }
}

/** The length or count of `size` bytes that follows the first byte of a value. */
function bigEndian(bytes: Uint8Array, start: number, size: number): number {
  within(bytes, start, start + 1 + size);
  let value = 0;
  for (let i = 1; i <= size; i++) value = value * 256 + bytes[start + i];
  return value;
}

function within(bytes: Uint8Array, start: number, end: number): number {
  if (end <= bytes.length) return end;
  const left = bytes.length - start;
  throw new Malformed(start, `a value of at most ${left} bytes`, `one of ${end - start}`);
}

/** Each element takes a byte at least, so a count beyond the bytes left is refused before the walk. */
function elementsEnd(
  bytes: Uint8Array,
  start: number,
  first: number,
  count: number,
  depth: number,
): number {
  within(bytes, start, first + count);
  if (depth === DEPTH_MOST) {
    throw new Malformed(start, `at most ${DEPTH_MOST} levels of arrays and maps`, 'one more');
  }
  let at = first;
  for (let i = 0; i < count; i++) at = valueEnd(bytes, at, depth + 1);
  return at;
}
