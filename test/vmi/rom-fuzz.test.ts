import { expect, test } from 'vitest';
import { fuzzRom } from './support/rom-fuzz.js';

test('600 random calls of the ROM: no crash, no hang, no way out', () => {
  const results = [1, 2].map((seed) => fuzzRom(seed, 300));
  for (const { endings, reports, events } of results) {
    expect(events).toBeGreaterThan(100);
    expect(Object.keys(endings)).toContain('until');
    for (const report of reports)
      expect(report).toMatch(/^VMI call \d+ \([^\n]+\) from 0x[0-9a-f]{8} [^\n]+$/);
  }
});
