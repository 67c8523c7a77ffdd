import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { Random } from '../../src/replay/random.js';
import { killAndReplay } from '../cli/killed.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-killed-'));
afterAll(() => rmSync(folder, { recursive: true }));

const KILLS = 50;
const LATEST_MILLISECONDS = 1000;
const random = new Random(1);

test.each(Array.from({ length: KILLS }, () => random.below(LATEST_MILLISECONDS)))(
  'the trace of a recorder killed %i ms after its start replays to its last whole chunk',
  async (milliseconds) => {
    await killAndReplay(folder, { milliseconds });
  },
);
