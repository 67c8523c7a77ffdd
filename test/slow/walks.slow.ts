/** `npm run test:slow -- walks`: how far it is, is printed; HOLDOFF_WALKS=N makes it other than 100,000. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyWalk } from '../replay/walk-moves.js';
import { subjects, Walker } from '../replay/walks.js';

const WALKS = Number(process.env['HOLDOFF_WALKS'] ?? 100_000);

test('walks through the recordings of all guests: one state an instant, whichever way', {
  timeout: 4 * 3_600_000,
}, () => {
  const all = subjects(3_000_000);
  const share = Math.ceil(WALKS / all.length);
  let walks = 0;
  let instants = 0;
  for (const subject of all) {
    const began = performance.now();
    const walker = new Walker(subject);
    fc.assert(
      fc.property(anyWalk, (moves) => walker.walk(moves)),
      { numRuns: share },
    );
    walker.compareWithPlainRun();
    walks += share;
    instants += walker.digests.size;
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${subject.name}: ${share} walks, ${walker.digests.size} instants, ${seconds} s`);
  }
  console.log(`${walks} walks, ${instants} instants`);
  expect(walks).toBeGreaterThanOrEqual(WALKS);
});
