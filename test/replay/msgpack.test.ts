import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elementOffset, integerBytes, packValue, unpackValue } from '../../src/replay/msgpack.js';
import { Malformed } from '../../src/replay/trace-damage.js';

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

describe('packing a value', () => {
  test('and unpacking it gives it back', () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', maxDepth: 6 },
        fc.maxSafeInteger(),
        fc.integer(),
        fc.string({ unit: 'grapheme' }),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.constantFrom(null, true, false),
        fc.array(tie('value')),
      ),
    }));
    fc.assert(
      fc.property(value, (v) => {
        expect(unpackValue(packValue(v))).toEqual(v);
      }),
    );
  });

  test('takes as many bytes for a whole number as foretold', () => {
    const edges = [0, 7, 8, 15, 16, 31, 32, 53].flatMap((bits) =>
      [-1, 0, 1].flatMap((off) => [2 ** bits + off, -(2 ** bits) + off, -(2 ** bits) / 2 + off]),
    );
    const isExact = (value: number): boolean => Number.isSafeInteger(value);
    for (const value of [...edges, -32, -33].filter(isExact)) {
      expect([value, integerBytes(value)]).toEqual([value, packValue(value).length]);
    }
    fc.assert(fc.property(fc.maxSafeInteger(), (v) => integerBytes(v) === packValue(v).length));
  });

  test('finds each element of an array again', () => {
    const elements = [1, 'two', [3, [4]], new Uint8Array(300), -70_000, 2 ** 40, null];
    for (const size of [7, 20, 70_000]) {
      const array = Array.from({ length: size }, (_, i) => elements[i % elements.length]);
      const bytes = packValue(array);
      const next = elementOffset(bytes, 5) - elementOffset(bytes, 4);
      expect(next).toBe(packValue(elements[4]).length);
      expect(elementOffset(bytes, size)).toBe(bytes.length);
    }
  });
});

describe('unpacking untrusted bytes', () => {
  test('gives a value or throws Malformed, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          unpackValue(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Malformed);
        }
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    ['nothing', ''],
    ['two values', '0101'],
    ['a number that is cut', 'ce000000'],
    ['text that is cut', 'a261'],
    ['a byte string of 4 GB', 'c6ffffffff00'],
    ['text of 4 GB', 'dbffffffff00'],
    ['an array of 4 thousand million', 'ddffffffff00'],
    ['a map of 4 thousand million', 'dfffffffff00'],
    ['an array in an array, each of 60 thousand', 'dceeeedceeee00'],
    ['a length that is cut', 'dd0000'],
    ['a map that lacks a value', '8101'],
    ['the type that is never used', 'c1'],
    ['a fixed extension: msgpackr would define a record', 'd47240'],
    ['an extension of 1 byte: msgpackr would read an error', 'c7016500'],
    ['an extension of 4 GB', 'c9ffffffff01'],
    ['nine levels', '919191919191919191c0'],
    ['a hundred thousand levels', '91'.repeat(100_000)],
  ])('refuses %s', (_, hex) => {
    expect(() => unpackValue(bytesOf(hex))).toThrow(Malformed);
  });

  test('says where the trouble is', () => {
    expect(() => unpackValue(bytesOf('9301c6ffffffff00'))).toThrow(
      expect.objectContaining({ offset: 2, found: 'one of 4294967300' }),
    );
  });

  test('compares a count with the bytes that are left before it walks', () => {
    expect(() => unpackValue(bytesOf('ddffffffff0000'))).toThrow(
      expect.objectContaining({ offset: 0, expected: 'a value of at most 7 bytes' }),
    );
  });

  test('makes maps of maps, so that no key can reach a prototype', () => {
    const value = unpackValue(packValue({ constructor: 1, ['__proto__']: { x: 1 } }));
    expect(value).toBeInstanceOf(Map);
  });
});
