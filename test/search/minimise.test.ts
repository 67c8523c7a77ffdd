import fc from 'fast-check';
import { expect, test } from 'vitest';
import { minimise } from '../../src/search/minimise.js';

/** Minimises to its end; the result, and how many tests it took. */
function run(
  items: readonly number[],
  needed: readonly number[],
): { left: number[]; tests: number } {
  const search = minimise(items, (part) => needed.every((item) => part.includes(item)));
  let tests = 0;
  for (;;) {
    const step = search.next();
    if (step.done === true) return { left: step.value, tests };
    tests += 1;
  }
}

test('what is left is what is needed, in order, whatever it is', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 60 }),
      fc.infiniteStream(fc.boolean()),
      (length, coins) => {
        const items = Array.from({ length }, (_, place) => place);
        const needed = items.filter(() => coins.next().value === true);
        expect(run(items, needed).left).toEqual(needed);
      },
    ),
  );
});

test('one of a thousand is found in some dozens of tests', () => {
  const items = Array.from({ length: 1000 }, (_, place) => place);
  const { left, tests } = run(items, [700]);
  expect(left).toEqual([700]);
  expect(tests).toBeLessThan(60);
});

test('what is left is 1-minimal also where less would do in another way', () => {
  // Any two of three neighbours fail: what is left must be two, though none of them is always needed.
  const search = minimise(
    [1, 2, 3, 4, 5, 6],
    (part) => part.filter((item) => item > 3).length >= 2,
  );
  let step = search.next();
  while (step.done !== true) step = search.next();
  expect(step.value).toHaveLength(2);
});
