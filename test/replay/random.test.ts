import { describe, expect, test } from 'vitest';
import { Random } from '../../src/replay/random.js';

const draw = (random: Random, count: number): number[] =>
  Array.from({ length: count }, () => random.next());

describe('Random', () => {
  test('equal seeds give equal numbers', () => {
    expect(draw(new Random(7), 100)).toEqual(draw(new Random(7), 100));
  });

  test('a seed gives the same numbers in every version, since recordings are named by their seeds', () => {
    expect(draw(new Random(1), 3)).toEqual([2442144158, 3238099751, 3819917871]);
  });

  test('neighbouring seeds give unrelated numbers', () => {
    const first = new Set(
      Array.from({ length: 1000 }, (_, seed) => new Random(seed).next() >>> 16),
    );
    expect(first.size).toBeGreaterThan(980);
  });

  test('below(n) gives each number from 0 to n - 1 about equally often', () => {
    const random = new Random(99);
    const counts = [0, 0, 0];
    for (let i = 0; i < 3000; i++) counts[random.below(3)] += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});
