/** Values written one by one are the bytes that msgpackr makes of all of them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packValue } from '../../src/replay/msgpack.js';
import { ValueWriter } from '../../src/replay/value-writer.js';

type Value = number | Uint8Array;

function append(writer: ValueWriter, values: readonly Value[]): void {
  for (const value of values) {
    if (typeof value === 'number') writer.integer(value);
    else writer.binary(value);
  }
}

function payloadOf(values: readonly Value[]): Buffer {
  const writer = new ValueWriter();
  append(writer, values);
  expect(writer.count).toBe(values.length);
  return Buffer.from(writer.payload());
}

describe('ValueWriter', () => {
  test('writes whole numbers at the edges of their sizes as msgpackr does', () => {
    const edges = [0, 5, 7, 8, 15, 16, 31, 32, 53]
      .flatMap((bits) => [2 ** bits, -(2 ** bits)])
      .flatMap((edge) => [edge - 1, edge, edge + 1])
      .filter((value) => Number.isSafeInteger(value));
    expect(payloadOf(edges)).toEqual(Buffer.from(packValue(edges)));
  });

  test('writes any values as msgpackr does', () => {
    const value = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.uint8Array({ maxLength: 64 }));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 40 }), (values) => {
        expect(payloadOf(values)).toEqual(Buffer.from(packValue(values)));
      }),
    );
  });

  test.each([15, 16, 65535, 65536])('writes the head of an array of %i', (count) => {
    const values = Array.from({ length: count }, (_, at) => at);
    expect(payloadOf(values).equals(packValue(values))).toBe(true);
  });

  test.each([0, 255, 256, 65535, 65536])('writes a byte string of %i bytes', (length) => {
    const values = [1, new Uint8Array(length).fill(7), 2];
    expect(payloadOf(values).equals(packValue(values))).toBe(true);
  });

  test('takes back what was appended last', () => {
    const writer = new ValueWriter();
    append(writer, [1, 70_000]);
    const { count, byteLength } = writer;
    append(writer, [new Uint8Array(9000), -5]);
    writer.cutTo(count, byteLength);
    append(writer, [300]);
    expect(Buffer.from(writer.payload())).toEqual(Buffer.from(packValue([1, 70_000, 300])));
  });
});
