/** Walks as fast-check makes them up. */
import fc from 'fast-check';
import type { Move } from './walks.js';

const count = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.nat(24));
const nearby = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -3000, max: 3000 }));

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('stepi' as const), count }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('reverse-stepi' as const), count }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('nudge' as const), by: nearby }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('interrupt' as const),
      pick: fc.nat(),
      by: fc.integer({ min: -4, max: 4 }),
    }),
  },
  fc.record({
    kind: fc.constant('seek' as const),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
);

/** One walk: up to eight moves. */
export const anyWalk: fc.Arbitrary<readonly Move[]> = fc.array(move, {
  minLength: 1,
  maxLength: 8,
});
