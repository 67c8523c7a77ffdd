import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { killAndReplay } from './killed.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-killed-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([0, 100, 500])(
  'the trace of a recorder killed %i ms after its start replays to its last whole chunk',
  async (milliseconds) => {
    await killAndReplay(folder, { milliseconds });
  },
);

test('a recorder writes as it goes: killed after its first events, it leaves them behind', async () => {
  expect(await killAndReplay(folder, 'first events')).toBeGreaterThan(0);
});
