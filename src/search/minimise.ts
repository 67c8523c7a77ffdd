/**
 * Delta debugging: the fewest of many that still do it. A. Zeller and R. Hildebrandt, "Simplifying and
 * Isolating Failure-Inducing Input", IEEE Transactions on Software Engineering 28(2), 2002.
 */

/**
 * A part of the items for which the test holds, and that is 1-minimal: without any one of them it does
 * not. The order is kept. Yields before each test.
 * @param holds must hold for all items together.
 */
export function* minimise<T>(
  items: readonly T[],
  holds: (part: readonly T[]) => boolean,
): Generator<undefined, T[]> {
  let left = [...items];
  for (let pieces = 2; left.length > 0; ) {
    const size = Math.ceil(left.length / pieces);
    let isSmaller = false;
    for (let start = 0; start < left.length; start += size) {
      const rest = [...left.slice(0, start), ...left.slice(start + size)];
      yield;
      if (!holds(rest)) continue;
      left = rest;
      pieces = Math.max(pieces - 1, 2);
      isSmaller = true;
      break;
    }
    if (isSmaller) continue;
    if (size === 1) return left;
    pieces = Math.min(pieces * 2, left.length);
  }
  return left;
}
