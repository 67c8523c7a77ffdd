import { describe, expect, test } from 'vitest';
import { leastUseful, nextMark, STRIDE } from '../../src/replay/checkpoint-policy.js';

/** The marks of a whole run from `start` to `target`. */
function marks(start: number, target: number, isDense: boolean): number[] {
  const taken: number[] = [];
  let last = start;
  for (let now = start; ; ) {
    now = nextMark(now, target, last, isDense);
    if (now >= target) return taken;
    taken.push(now);
    last = now;
  }
}

describe('the policy of checkpoints', () => {
  test('a plain run leaves one in every stride', () => {
    expect(marks(0, 3 * STRIDE + 1, false)).toEqual([STRIDE, 2 * STRIDE, 3 * STRIDE]);
  });

  test('a run to where someone steps back leaves them at halved distances', () => {
    const distances = marks(0, STRIDE, true).map((mark) => STRIDE - mark);
    for (const [index, distance] of distances.entries()) {
      const before = index === 0 ? STRIDE : distances[index - 1];
      expect(Math.abs(distance - before / 2)).toBeLessThanOrEqual(1);
    }
    expect(distances.at(-1)).toBeLessThan(1100);
    expect(distances.length).toBeLessThan(16);
  });

  test('a run over a gap that was thinned goes on', () => {
    expect(nextMark(5 * STRIDE, 6 * STRIDE, 0, false)).toBeGreaterThan(5 * STRIDE);
  });

  test('thinning keeps a number that grows with the logarithm of the distance', () => {
    const list = Array.from({ length: 1001 }, (_, index) => ({ at: index * 10_000 }));
    const cursor = 10_000_000;
    while (list.length > 40) list.splice(leastUseful(list, cursor, -1)!, 1);
    expect(list[0].at).toBe(0);
    expect(list.at(-1)!.at).toBe(cursor);
    for (let index = 1; index < list.length; index++) {
      const gap = list[index].at - list[index - 1].at;
      // No gap is larger than what lies between it and the cursor, or a few of the least gaps.
      expect(gap).toBeLessThanOrEqual(Math.max(cursor - list[index].at, 40_000));
    }
  });

  test('the first, the last and the one in use are never given up', () => {
    const list = [{ at: 0 }, { at: 1 }, { at: 2 }];
    expect(leastUseful(list, 2, 1)).toBe(null);
    expect(leastUseful(list, 2, 0)).toBe(1);
  });
});
