/** Which payloads are deflated. What else a frame says is in trace-format.test.ts and trace-damage.test.ts. */
import { describe, expect, test } from 'vitest';
import {
  CHUNK_IMAGE,
  decodeFrame,
  encodeChunk,
  FRAME_BYTES,
  unpackPayload,
} from '../../src/replay/chunk-frame.js';
import { Random } from '../../src/replay/random.js';

const MIB = 1 << 20;

/** Bytes that nothing compresses. */
function noise(length: number): Uint8Array {
  const random = new Random(1);
  return Uint8Array.from({ length }, () => random.below(256));
}

function halfNoise(length: number): Uint8Array {
  const bytes = noise(length);
  for (let at = 0; at < length; at += 128) bytes.fill(0, at, at + 64);
  return bytes;
}

describe('the payload of a chunk', () => {
  test.each([
    ['of 127 zeros lies there as it is', new Uint8Array(127), false],
    ['of 128 zeros is deflated', new Uint8Array(128), true],
    ['of 200 KB of noise lies there as it is', noise(200_000), false],
    ['of 2 MB of noise lies there as it is', noise(2 * MIB + 5), false],
    ['of 2 MB, every other part of it zeros, is deflated', halfNoise(2 * MIB + 5), true],
  ])('%s', (_, payload, isDeflated) => {
    const chunk = encodeChunk({ type: CHUNK_IMAGE, sequence: 0, from: 0, to: 0 }, payload);
    const frame = decodeFrame(chunk.subarray(0, FRAME_BYTES), 0, 0);
    expect(frame.isDeflated).toBe(isDeflated);
    expect(frame.storedBytes < payload.length).toBe(isDeflated);
    const unpacked = unpackPayload(frame, chunk.subarray(FRAME_BYTES));
    expect(Buffer.compare(unpacked, payload)).toBe(0);
  });
});
