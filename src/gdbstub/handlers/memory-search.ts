/** `qCRC` and `qSearch`: work on memory that gdb would otherwise read whole. */
import { hexNumber } from '../bytes.js';
import type { MemoryAccess } from '../target.js';
import type { Handlers } from './handler.js';
import { badAddress, invalid, text } from './reply.js';

/** Memory is looked at in pieces of this size. */
const PIECE_BYTES = 1 << 16;
/** The most that one packet may have summed up, and searched. */
const MOST_SUMMED_BYTES = 1 << 27;

export const MEMORY_SEARCH_HANDLERS: Pick<Handlers, 'checksum' | 'search'> = {
  checksum: ({ address, length }, { target: { memory } }) => {
    if (length > MOST_SUMMED_BYTES) return invalid(`${length} bytes are too many to sum up`);
    let crc = 0xffff_ffff;
    for (let done = 0; done < length; done += PIECE_BYTES) {
      const size = Math.min(PIECE_BYTES, length - done);
      const bytes = memory.read(address + done, size);
      if (bytes.length < size) return badAddress('not all of it can be read');
      crc = addToCrc(crc, bytes);
    }
    return text(`C${hexNumber(crc)}`);
  },

  search: ({ address, length, pattern }, { target: { memory } }) => {
    if (pattern.length > PIECE_BYTES) return invalid('the pattern is too long');
    const found = search(memory, address, Math.min(length, 2 ** 32 - address), pattern);
    return text(found === null ? '0' : `1,${hexNumber(found)}`);
  },
};

/** The first address in the range from which on the pattern lies in it; what can't be read is passed over. */
function search(
  memory: MemoryAccess,
  start: number,
  length: number,
  pattern: Uint8Array,
): number | null {
  const end = start + length;
  for (let at = start; at + pattern.length <= end; ) {
    // Pieces overlap, so that what lies across their border is found too.
    const bytes = memory.read(at, Math.min(PIECE_BYTES + pattern.length - 1, end - at));
    const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(pattern);
    if (found >= 0) return at + found;
    // Behind a short read lies a page that isn't there.
    at = bytes.length < PIECE_BYTES ? nextPage(at + bytes.length) : at + PIECE_BYTES;
  }
  return null;
}

function nextPage(address: number): number {
  return (Math.floor(address / 4096) + 1) * 4096;
}

/** CRC-32 as gdb has it: polynomial 04c11db7h, most significant bit first, not inverted at the end. */
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  return crc;
});

function addToCrc(crc: number, bytes: Uint8Array): number {
  let value = crc | 0;
  for (const byte of bytes) value = (value << 8) ^ CRC_TABLE[((value >>> 24) ^ byte) & 0xff];
  return value >>> 0;
}
