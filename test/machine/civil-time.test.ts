import fc from 'fast-check';
import { expect, test } from 'vitest';
import { civilTime, unixSeconds } from '../../src/machine/civil-time.js';

const seconds = fc.integer({ min: -60_000_000_000, max: 250_000_000_000 });

test('agrees with the calendar of JavaScript', () => {
  fc.assert(
    fc.property(seconds, (at) => {
      const date = new Date(at * 1000);
      expect(civilTime(at)).toEqual({
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        second: date.getUTCSeconds(),
        weekday: date.getUTCDay(),
      });
    }),
  );
});

test('a date leads back to its seconds', () => {
  fc.assert(
    fc.property(seconds, (at) => {
      expect(unixSeconds(civilTime(at))).toBe(at);
    }),
  );
});
