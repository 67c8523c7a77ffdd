/**
 * The outer form of a trace: 16 bytes that say what the file is, then chunks. Each chunk is a MessagePack
 * extension value, so the whole file is a MessagePack stream, and carries a frame of FRAME_BYTES with
 * a checksum of its own: a length is believed only when the frame that states it is known to be whole.
 *
 * All numbers are big-endian, as MessagePack's are. docs/trace-format.md describes every byte.
 */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Instant } from './instant.js';
import { type Checked, type DamageKind, Malformed } from './trace-damage.js';

/**
 * The versions of the format so far, which count changes that an older reader cannot read past. A trace has
 * the lowest that has a word for all that it says: see `formatVersionOf`.
 */
const VERSION_LEAST = 1;
const VERSION_MOST = 4;

/** `bin 8` of 14 bytes, then "holdoff\n": the high bit and the newline betray a mangled transfer. */
const MAGIC = Uint8Array.of(0xc4, 0x0e, 0x68, 0x6f, 0x6c, 0x64, 0x6f, 0x66, 0x66, 0x0a);
/** Magic, version (2 bytes), checksum of the 12 bytes before it. */
export const PRELUDE_BYTES = 16;

/** Types of chunks. A reader skips an odd type that it doesn't know, and refuses an even one. */
export const CHUNK_HEADER = 2;
export const CHUNK_IMAGE = 4;
export const CHUNK_EVENTS = 6;
export const CHUNK_END = 8;
/** A checkpoint on the way, which a reader may leave alone. */
export const CHUNK_CHECKPOINT = 9;
/** The checkpoint that a trace starts with. */
export const CHUNK_START = 10;
/** Pages of the checkpoint that follows. */
export const CHUNK_PAGES = 11;

/** The most bytes of an unpacked payload, by chunk type. A type that isn't here is not unpacked. */
export const PAYLOAD_MOST: Readonly<Record<number, number>> = {
  [CHUNK_HEADER]: 1 << 20,
  [CHUNK_IMAGE]: 1 << 30,
  [CHUNK_EVENTS]: 1 << 20,
  [CHUNK_END]: 1 << 16,
  [CHUNK_CHECKPOINT]: 1 << 23,
  [CHUNK_START]: 1 << 23,
  [CHUNK_PAGES]: 1 << 23,
};

/** Payload as it is. */
const CODEC_STORED = 0;
/** Payload as raw deflate data, RFC 1951. */
const CODEC_DEFLATE = 1;
/** Payloads below this many bytes are stored as they are: deflate gains nothing. */
const DEFLATE_FROM = 128;
/**
 * Of a payload from this many bytes on, samples are deflated first: a kernel that is compressed already
 * would take a tenth of a second, and come out as large as it was.
 */
const SAMPLE_FROM = 1 << 20;
const SAMPLES = 16;
const SAMPLE_BYTES = 1 << 12;
/** What samples must come down to, as a part of their bytes. */
const WORTHWHILE = 0.95;

const EXT32 = 0xc9;
/** Bytes of a frame; the payload follows. */
export const FRAME_BYTES = 39;
/** Those of them that follow the type byte, and so count in the length of the extension value. */
const FRAME_BODY_BYTES = 33;
/** Where the fields of a frame are, in bytes from its start. */
const AT_LENGTH = 1;
export const AT_TYPE = 5;
const AT_SEQUENCE = 6;
const AT_CODEC = 10;
export const AT_UNPACKED_BYTES = 11;
export const AT_FROM = 15;
export const AT_TO = 23;
const AT_PAYLOAD_CRC = 31;
const AT_FRAME_CRC = 35;

/** What the frame of a chunk says. */
export interface ChunkFrame {
  /** Bytes from the start of the file to the frame. */
  readonly offset: number;
  readonly type: number;
  /** 0 for the first chunk of a file, then one more each. */
  readonly sequence: number;
  readonly isDeflated: boolean;
  /** Bytes of the payload in the file, and unpacked. */
  readonly storedBytes: number;
  readonly unpackedBytes: number;
  /** What the chunk covers: see docs/trace-format.md, "Instants". */
  readonly from: Instant;
  readonly to: Instant;
  readonly payloadCrc: number;
}

/** What a new chunk is made of. */
export type NewChunk = Pick<ChunkFrame, 'type' | 'sequence' | 'from' | 'to'>;

/** The first 16 bytes of a trace of this version. */
export function encodePrelude(version = VERSION_LEAST): Uint8Array {
  const prelude = new Uint8Array(PRELUDE_BYTES);
  const view = new DataView(prelude.buffer);
  prelude.set(MAGIC);
  view.setUint16(10, version);
  view.setUint32(12, crc32(prelude.subarray(0, 12)));
  return prelude;
}

/**
 * The format version of a file that starts with these bytes.
 * @param start at most the first PRELUDE_BYTES of the file.
 */
export function checkPrelude(start: Uint8Array): Checked<number> {
  const foreign = start.findIndex((byte, at) => at < MAGIC.length && byte !== MAGIC[at]);
  if (foreign >= 0) {
    return damaged('foreign', 0, `the bytes ${hexBytes(MAGIC)} of a trace`, hexBytes(start));
  }
  if (start.length < PRELUDE_BYTES) {
    const found = `the end of the file after ${start.length} bytes`;
    return damaged('cut', start.length, `the ${PRELUDE_BYTES} bytes that start a trace`, found);
  }
  const view = new DataView(start.buffer, start.byteOffset);
  const crc = crc32(start.subarray(0, 12));
  if (view.getUint32(12) !== crc) {
    return damaged('corrupt', 12, `checksum ${hex32(crc)}`, hex32(view.getUint32(12)));
  }
  const version = view.getUint16(10);
  if (version < VERSION_LEAST || version > VERSION_MOST) {
    const expected = `trace format version ${VERSION_LEAST} to ${VERSION_MOST}`;
    return damaged('unsupported', 10, expected, `version ${version}`);
  }
  return { isWhole: true, value: version };
}

function damaged(
  kind: DamageKind,
  offset: number,
  expected: string,
  found: string,
): Checked<never> {
  return { isWhole: false, damage: { kind, offset, chunk: null, expected, found } };
}

/** A whole chunk, ready for the file. The payload is deflated where that makes it smaller. */
export function encodeChunk(chunk: NewChunk, payload: Uint8Array): Uint8Array {
  const most = PAYLOAD_MOST[chunk.type];
  if (payload.length > most) {
    throw new Error(`payload of ${payload.length} bytes in a chunk of type ${chunk.type}`);
  }
  const deflated = isWorthDeflating(payload) ? deflateRawSync(payload, { level: 1 }) : payload;
  const isDeflated = deflated.length < payload.length;
  const stored = isDeflated ? deflated : payload;
  const bytes = new Uint8Array(FRAME_BYTES + stored.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = EXT32;
  view.setUint32(AT_LENGTH, FRAME_BODY_BYTES + stored.length);
  bytes[AT_TYPE] = chunk.type;
  view.setUint32(AT_SEQUENCE, chunk.sequence);
  bytes[AT_CODEC] = isDeflated ? CODEC_DEFLATE : CODEC_STORED;
  view.setUint32(AT_UNPACKED_BYTES, payload.length);
  setInstant(view, AT_FROM, chunk.from);
  setInstant(view, AT_TO, chunk.to);
  view.setUint32(AT_PAYLOAD_CRC, crc32(stored));
  view.setUint32(AT_FRAME_CRC, crc32(bytes.subarray(0, AT_FRAME_CRC)));
  bytes.set(stored, FRAME_BYTES);
  return bytes;
}

function isWorthDeflating(payload: Uint8Array): boolean {
  if (payload.length < SAMPLE_FROM) return payload.length >= DEFLATE_FROM;
  const distance = Math.floor(payload.length / SAMPLES);
  let bytes = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const start = sample * distance;
    bytes += deflateRawSync(payload.subarray(start, start + SAMPLE_BYTES), { level: 1 }).length;
  }
  return bytes < WORTHWHILE * SAMPLES * SAMPLE_BYTES;
}

/**
 * Reads a frame.
 * @param bytes FRAME_BYTES of them, from `offset` in the file.
 * @param sequence which the chunk must have.
 * @throws Malformed with an offset from the start of the frame.
 */
export function decodeFrame(bytes: Uint8Array, offset: number, sequence: number): ChunkFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const crc = crc32(bytes.subarray(0, AT_FRAME_CRC));
  const stated = view.getUint32(AT_FRAME_CRC);
  if (stated !== crc) {
    throw new Malformed(AT_FRAME_CRC, `frame checksum ${hex32(crc)}`, hex32(stated));
  }
  // The checksum holds, so what follows can only fail if something else than a recorder made the file.
  const frame = {
    offset,
    type: bytes[AT_TYPE],
    sequence: view.getUint32(AT_SEQUENCE),
    isDeflated: bytes[AT_CODEC] === CODEC_DEFLATE,
    storedBytes: view.getUint32(AT_LENGTH) - FRAME_BODY_BYTES,
    unpackedBytes: view.getUint32(AT_UNPACKED_BYTES),
    from: getInstant(view, AT_FROM),
    to: getInstant(view, AT_TO),
    payloadCrc: view.getUint32(AT_PAYLOAD_CRC),
  };
  const most = PAYLOAD_MOST[frame.type] ?? Infinity;
  if (bytes[0] !== EXT32) throw new Malformed(0, 'a chunk (c9)', bytes[0].toString(16));
  if (frame.storedBytes < 0) {
    throw new Malformed(AT_LENGTH, `a length from ${FRAME_BODY_BYTES}`, String(view.getUint32(1)));
  }
  if (frame.sequence !== sequence) {
    throw new Malformed(AT_SEQUENCE, `chunk number ${sequence}`, String(frame.sequence));
  }
  if (bytes[AT_CODEC] > CODEC_DEFLATE) {
    throw new Malformed(AT_CODEC, 'codec 0 or 1', String(bytes[AT_CODEC]), 'unsupported');
  }
  if (frame.unpackedBytes > most) {
    const found = String(frame.unpackedBytes);
    throw new Malformed(AT_UNPACKED_BYTES, `at most ${most} bytes unpacked`, found);
  }
  if (!frame.isDeflated && frame.unpackedBytes !== frame.storedBytes) {
    const found = String(frame.unpackedBytes);
    throw new Malformed(AT_UNPACKED_BYTES, `${frame.storedBytes} bytes unpacked`, found);
  }
  return frame;
}

/** @throws Malformed where the payload is not what its frame promises. */
export function checkPayload(frame: ChunkFrame, stored: Uint8Array): void {
  const crc = crc32(stored);
  if (crc === frame.payloadCrc) return;
  throw new Malformed(0, `a payload with checksum ${hex32(frame.payloadCrc)}`, hex32(crc));
}

/**
 * The unpacked payload. At most `unpackedBytes`, which `decodeFrame` has compared with the limit of the
 * type, are ever allocated for it. @throws Malformed where it comes out with another length.
 */
export function unpackPayload(frame: ChunkFrame, stored: Uint8Array): Uint8Array {
  if (!frame.isDeflated) return stored;
  const expected = `deflate data that unpacks to ${frame.unpackedBytes} bytes`;
  let payload: Uint8Array;
  try {
    payload = plain(inflateRawSync(stored, { maxOutputLength: Math.max(1, frame.unpackedBytes) }));
  } catch (error) {
    throw new Malformed(0, expected, error instanceof Error ? error.message : String(error));
  }
  if (payload.length !== frame.unpackedBytes) {
    throw new Malformed(0, expected, `${payload.length} bytes`);
  }
  return payload;
}

/** The same bytes as a plain Uint8Array: a Buffer's `slice` is another, and it compares otherwise. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function setInstant(view: DataView, at: number, instant: Instant): void {
  view.setUint32(at, Math.floor(instant / 2 ** 32));
  view.setUint32(at + 4, instant >>> 0);
}

/** @throws Malformed for an instant beyond 2^53 - 1. */
function getInstant(view: DataView, at: number): Instant {
  const instant = view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
  if (!Number.isSafeInteger(instant)) throw new Malformed(at, 'an instant below 2^53', 'more');
  return instant;
}

function hex32(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

function hexBytes(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, MAGIC.length), (byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  return shown.length === 0 ? 'nothing' : shown.join(' ');
}
