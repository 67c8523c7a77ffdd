import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fromHex,
  fromLittleEndian,
  hexNumber,
  littleEndian,
  textToHex,
  toHex,
} from '../../src/gdbstub/bytes.js';

describe('hex', () => {
  test('bytes come back from their hex', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(Uint8Array.from(bytes));
      }),
    );
  });

  test('half a byte, or a digit that is none, is no hex', () => {
    expect(fromHex('123')).toBeNull();
    expect(fromHex('1g')).toBeNull();
    expect(fromHex('AbcD')).toEqual(Uint8Array.of(0xab, 0xcd));
  });

  test('text travels as UTF-8', () => {
    expect(textToHex('é')).toBe('c3a9');
  });

  test('a negative number is the unsigned one of the same bits', () => {
    expect(hexNumber(-1)).toBe('ffffffff');
    expect(hexNumber(0xffff_0000)).toBe('ffff0000');
  });
});

describe('littleEndian', () => {
  test('signed and unsigned 32-bit values of the same bits are the same bytes', () => {
    expect(littleEndian(-2, 4)).toEqual(Uint8Array.of(0xfe, 0xff, 0xff, 0xff));
    expect(littleEndian(0xffff_fffe, 4)).toEqual(littleEndian(-2, 4));
  });

  test('an instant beyond 32 bits keeps its high half', () => {
    expect(littleEndian(0x12_3456_789a, 8)).toEqual(
      Uint8Array.of(0x9a, 0x78, 0x56, 0x34, 0x12, 0, 0, 0),
    );
  });

  test('an x87 register of ten bytes has zeros behind the eighth', () => {
    expect(littleEndian(1, 10)).toEqual(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  });

  test('32 bits come back unsigned', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(fromLittleEndian(littleEndian(value, 4))).toBe(value >>> 0);
      }),
    );
  });
});
