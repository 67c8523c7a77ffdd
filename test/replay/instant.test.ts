import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/machine/user-error.js';
import { formatInstant, parseInstant } from '../../src/replay/instant.js';

describe('an instant', () => {
  test('is read as it is printed', () => {
    expect(formatInstant(1234567)).toBe('@1234567');
    fc.assert(fc.property(fc.maxSafeNat(), (at) => parseInstant(formatInstant(at)) === at));
  });

  test.each([
    ['1234567', 1234567],
    ['@1_234_567', 1234567],
    ['@0', 0],
    ['@9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('is read from %s', (text, at) => {
    expect(parseInstant(text)).toBe(at);
  });

  test.each(['', '@', 'x', '@-1', '@1.5', '@1e3', '0x10', '@1_', '@9007199254740992', ' 1'])(
    'is not read from "%s"',
    (text) => {
      expect(() => parseInstant(text)).toThrow(UserError);
    },
  );
});
