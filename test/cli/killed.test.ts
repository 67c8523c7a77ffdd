import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { killAndReplay } from './killed.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-killed-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([0, 60, 300, 700])(
  'the trace of a recorder killed %i ms after its start replays to its last whole chunk',
  async (milliseconds) => {
    const instants = await killAndReplay(folder, milliseconds);
    // What is older than a tenth of a second is in the file.
    if (milliseconds >= 300) expect(instants).toBeGreaterThan(0);
  },
);
