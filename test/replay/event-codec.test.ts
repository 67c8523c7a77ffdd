/** Payloads of events that only a forger writes. What a recorder writes: trace-format.test.ts. */
import { describe, expect, test } from 'vitest';
import { CHUNK_EVENTS, encodeChunk, FRAME_BYTES } from '../../src/replay/chunk-frame.js';
import { packValue } from '../../src/replay/msgpack.js';
import { describeDamage } from '../../src/replay/trace-damage.js';
import { examine, place, traceOf } from './trace-samples.js';

describe('a chunk of events that no recorder writes', () => {
  const tag = (kind: number, flags: number): number => kind * 8 + flags;

  test.each<[string, unknown, string, string]>([
    ['no array', 5, 'an array', '5'],
    ['an event that is cut', [tag(12, 1)], 'a byte from 0 to 255', 'nothing'],
    ['text for a tag', ['irq'], 'the tag of an event from 0 to 255', '"irq"'],
    ['a fraction', [tag(6, 0), 0.5], 'the instant of an event', '0.5'],
    ['an instant before the last', [tag(6, 0), 5, tag(6, 0), -1], 'an instant from @5', '@4'],
    [
      'an instant after its end',
      [tag(6, 0), 1_000_001],
      'an instant from @0 to @1000000',
      '@1000001',
    ],
    ['a period without two ticks', [tag(2, 2), 5], 'a timer that has a period', 'less than twice'],
    ['line 512', [tag(4, 1), 512], 'an interrupt line from 0 to 511', '512'],
    ['a vector that was never given', [tag(1, 1), 0], 'a vector, the first of line 0', 'none'],
    ['a clock below 0', [tag(10, 1), -1], 'a clock from 0', '-1'],
    ['too many arguments', [tag(14, 1), 1, 0, 65], 'a number of arguments from 0 to 64', '65'],
    ['too long a digest', [tag(3, 1), new Uint8Array(65)], 'a digest of at most 64', '65 bytes'],
    ['a digest as text', [tag(3, 1), 'ab'], 'a digest of at most 64 bytes', '"ab"'],
    ['an array without a kind', [[]], 'an array that starts with a kind', 'nothing'],
    ['64-bit integers', [tag(6, 0), 5n], 'the instant of an event', '5'],
  ])('is refused for %s', (_, values, expected, found) => {
    const chunk = encodeChunk(place(CHUNK_EVENTS, 1), packValue(values));
    const { damage } = examine(new Uint8Array(Buffer.concat([traceOf([]), chunk])));
    expect(damage).toMatchObject({ kind: 'corrupt', chunk: 1 });
    expect(damage?.expected).toContain(expected);
    expect(damage?.found).toContain(found);
  });

  test('is refused with the offset of the value in the file', () => {
    const values = [tag(12, 0), 1000, 65, tag(12, 1), 66, tag(12, 1), 256];
    const start = traceOf([]);
    const chunk = encodeChunk(place(CHUNK_EVENTS, 1), packValue(values));
    const { damage } = examine(new Uint8Array(Buffer.concat([start, chunk])));
    expect(damage?.offset).toBe(start.length + chunk.length - 3);
    expect(damage).not.toHaveProperty('unpackedOffset');
  });

  test('is refused with the offset in its unpacked payload where it was deflated', () => {
    const values = [...new Array<number>(500).fill(tag(6, 1)), 0xffff];
    const start = traceOf([]);
    const chunk = encodeChunk(place(CHUNK_EVENTS, 1), packValue(values));
    const { damage } = examine(new Uint8Array(Buffer.concat([start, chunk])));
    expect(damage).toMatchObject({ offset: start.length + FRAME_BYTES, unpackedOffset: 3 + 500 });
    expect(describeDamage(damage!)).toBe(
      `byte ${start.length + FRAME_BYTES} (chunk 1, byte 503 of it unpacked): expected the tag of an event from 0 to 255, found 65535`,
    );
  });
});
