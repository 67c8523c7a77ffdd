import { expect, test } from 'vitest';
import { fuzzRom } from '../vmi/support/rom-fuzz.js';

test('100,000 random calls of the ROM: no crash, no hang, no way out', {
  timeout: 3_600_000,
}, () => {
  const began = performance.now();
  let cases = 0;
  let events = 0;
  const endings: Record<string, number> = {};
  for (let seed = 1; cases < 100_000; seed++) {
    const result = fuzzRom(seed, 2000);
    cases += result.cases;
    events += result.events;
    for (const [ending, count] of Object.entries(result.endings)) {
      endings[ending] = (endings[ending] ?? 0) + count;
    }
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${cases} cases, ${events} events, ${seconds.toFixed(0)} s: ${JSON.stringify(endings)}`,
  );
  expect(events).toBeGreaterThan(cases / 10);
});
