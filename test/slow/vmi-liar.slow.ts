/** A hundred thousand guests that lie to the hypervisor. */
import { expect, test } from 'vitest';
import { Random } from '../../src/replay/random.js';
import { Liars } from '../vmi/support/liar.js';

const CASES = 100_000;
/** Cases that share machines. */
const CASES_A_STOCK = 2000;

test('a hundred thousand lying guests', { timeout: 3_600_000 }, () => {
  const began = performance.now();
  const endings: Record<string, number> = {};
  for (let seed = 1; seed <= CASES / CASES_A_STOCK; seed++) {
    const liars = new Liars(new Random(seed));
    for (let at = 0; at < CASES_A_STOCK; at++) liars.run(`seed ${seed}, case ${at}`, 64);
    for (const [ending, count] of Object.entries(liars.endings)) {
      endings[ending] = (endings[ending] ?? 0) + count;
    }
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(`${CASES} cases, ${seconds.toFixed(0)} s: ${JSON.stringify(endings)}`);
  expect(Object.values(endings).reduce((sum, count) => sum + count, 0)).toBe(CASES);
});
