import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyWalk } from './walk-moves.js';
import { subjects, Walker } from './walks.js';

describe('stepi, reverse-stepi and seeks in any order (100,000 walks are in test/slow)', () => {
  test.each(subjects(300_000).map((subject) => [subject.name, subject] as const))(
    'in %s an instant has one state',
    (_, subject) => {
      const walker = new Walker(subject);
      fc.assert(
        fc.property(anyWalk, (moves) => walker.walk(moves)),
        { numRuns: 25 },
      );
      walker.compareWithPlainRun();
      expect(walker.digests.size).toBeGreaterThan(10);
    },
  );
});
