import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { ApicTimer } from '../../src/machine/apic-timer.js';

const BY_1 = 0xb;
const NEVER = Number.POSITIVE_INFINITY;

let timer: ApicTimer;

beforeEach(() => {
  timer = new ApicTimer();
  timer.setDivide(BY_1, 0);
});

describe('one-shot', () => {
  test('counts down once, and stays at 0', () => {
    timer.start(100, 50);
    expect([50, 51, 149, 150, 151].map((now) => timer.currentCount(now))).toEqual([
      100, 99, 1, 0, 0,
    ]);
    expect(timer.nextExpiry(50)).toBe(150);
    expect(timer.nextExpiry(149)).toBe(150);
    expect(timer.nextExpiry(150)).toBe(NEVER);
  });

  test('counts all of 32 bits', () => {
    timer.start(0xffffffff, 0);
    expect(timer.currentCount(1)).toBe(0xfffffffe);
    expect(timer.nextExpiry(0)).toBe(0xffffffff);
  });

  test('a count of 0 stops it', () => {
    timer.start(100, 0);
    timer.start(0, 10);
    expect(timer.currentCount(20)).toBe(0);
    expect(timer.nextExpiry(10)).toBe(NEVER);
  });
});

describe('periodic', () => {
  beforeEach(() => {
    timer.setPeriodic(true, 0);
  });

  test('starts again from the initial count, and never shows 0', () => {
    timer.start(10, 5);
    expect([14, 15, 16, 25].map((now) => timer.currentCount(now))).toEqual([1, 10, 9, 10]);
    expect([5, 14, 15, 24, 25].map((now) => timer.nextExpiry(now))).toEqual([15, 15, 25, 25, 35]);
  });

  test('expires once in each period', () => {
    const count = fc.integer({ min: 1, max: 0xffffffff });
    const divide = fc.integer({ min: 0, max: 0xf });
    const tick = fc.integer({ min: 0, max: 1e12 });
    fc.assert(
      fc.property(count, divide, tick, tick, (initial, configuration, start, later) => {
        timer.setDivide(configuration, start);
        timer.start(initial, start);
        const first = timer.nextExpiry(start);
        const period = first - start;
        const next = timer.nextExpiry(start + later);
        expect(next).toBeGreaterThan(start + later);
        expect(next - start - later).toBeLessThanOrEqual(period);
        expect((next - start) % period).toBe(0);
        expect(timer.currentCount(next)).toBe(initial);
        expect(timer.currentCount(next - 1)).toBe(1);
      }),
    );
  });
});

describe('while it runs', () => {
  test.each([
    [0x0, 2],
    [0x1, 4],
    [0x2, 8],
    [0x3, 16],
    [0x8, 32],
    [0x9, 64],
    [0xa, 128],
    [0xb, 1],
  ])('divide configuration %i divides by %i', (configuration, divisor) => {
    timer.setDivide(configuration, 0);
    timer.start(3, 0);
    expect(timer.nextExpiry(0)).toBe(3 * divisor);
    expect(timer.currentCount(divisor - 1)).toBe(3);
    expect(timer.currentCount(divisor)).toBe(2);
  });

  test('another divisor leaves the count where it is', () => {
    timer.start(100, 0);
    timer.setDivide(1, 40);
    expect(timer.currentCount(40)).toBe(60);
    expect(timer.nextExpiry(40)).toBe(40 + 60 * 4);
  });

  test('from one-shot to periodic and back the count goes on, and reloads or not at its end', () => {
    timer.start(100, 0);
    timer.setPeriodic(true, 70);
    expect(timer.currentCount(70)).toBe(30);
    expect(timer.currentCount(100)).toBe(100);
    expect(timer.nextExpiry(100)).toBe(200);
    timer.setPeriodic(false, 170);
    expect(timer.currentCount(170)).toBe(30);
    expect(timer.currentCount(200)).toBe(0);
    expect(timer.nextExpiry(200)).toBe(NEVER);
  });

  test('made periodic after its end it stays at 0', () => {
    timer.start(100, 0);
    timer.setPeriodic(true, 100);
    expect(timer.currentCount(500)).toBe(0);
    expect(timer.nextExpiry(100)).toBe(NEVER);
  });

  test('what it forgets lies before, and the beat stays as it is', () => {
    timer.setPeriodic(true, 0);
    timer.start(10, 0);
    timer.forgetPast(34);
    expect(timer.nextExpiry(0)).toBe(40);
    expect(timer.currentCount(34)).toBe(6);
  });
});
