/** A sample of what `npm run fuzz` runs at length; a seed that fails runs again with `--seed N --streams 1`. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StreamRunner } from './stream.js';

const STREAMS = Number(process.env['HOLDOFF_FUZZ_RUNS'] ?? 2500);

test('random code never throws, breaks an invariant, changes anything by a fault or by how it is run', () => {
  const runner = new StreamRunner();
  const seeds = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(seeds, (seed) => {
      expect(runner.run(seed)).toBeNull();
    }),
    { numRuns: STREAMS, endOnFailure: true },
  );
  expect(runner.tally.faults).toBeGreaterThan(STREAMS);
});
