import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  nanosecondsOfPitTick,
  pitTicksAt,
  secondsAt,
} from '../../../src/replay/clock/guest-time.js';

const HZ = 1_193_182n;
const SECOND = 1_000_000_000n;
/** 100 days. */
const nanoseconds = fc.integer({ min: 0, max: 100 * 86_400 * 1_000_000_000 });
const ticks = fc.integer({ min: 0, max: 100 * 86_400 * 1_193_182 });

describe('guest time', () => {
  test('pitTicksAt is the exact floor of the product', () => {
    fc.assert(
      fc.property(nanoseconds, (time) => {
        expect(BigInt(pitTicksAt(time))).toBe((BigInt(time) * HZ) / SECOND);
      }),
    );
  });

  test('nanosecondsOfPitTick is the first nanosecond at which that many ticks have passed', () => {
    fc.assert(
      fc.property(ticks, (tick) => {
        const first = nanosecondsOfPitTick(tick);
        expect(pitTicksAt(first)).toBe(tick);
        if (tick > 0) expect(pitTicksAt(first - 1)).toBe(tick - 1);
      }),
    );
  });

  test('a tick that never comes stays one', () => {
    expect(nanosecondsOfPitTick(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });

  test('secondsAt drops the fraction', () => {
    expect(secondsAt(2_999_999_999)).toBe(2);
  });
});
