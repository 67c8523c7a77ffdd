/** `bisect`, `shrink` and `record --until-bad` on the race of guest/window. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { holdoff } from './holdoff.js';
import { END, OPEN, TAKEN, TRACE } from './padding-race.js';

const IMAGE = fileURLToPath(new URL('../../guest/window/window-padded.elf', import.meta.url));
const LOST_WORK = 67;
const folder = mkdtempSync(join(tmpdir(), 'holdoff-search-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Window {
  readonly first: number;
  readonly last: number;
  readonly takenFirst: number;
  readonly takenLast: number;
}

async function bisected(trace: string): Promise<Record<string, unknown> & { window: Window }> {
  const { status, stdout } = await holdoff(
    ['bisect', trace, '--budget', '60000', '--json'],
    '',
    folder,
  );
  expect(status).toBe(0);
  const found = JSON.parse(stdout.toString()) as { events: { window: Window }[] };
  expect(found.events).toHaveLength(1);
  return { ...found, window: found.events[0].window };
}

test('a shrunken trace begins late, is the same run to its end, and has the same window', async () => {
  const { status, stdout } = await holdoff(['shrink', TRACE, '-o', 'short.trace'], '', folder);
  expect(status).toBe(0);
  const [, from] = /instants {2}@(\d+) to @(\d+); before @0/.exec(stdout.toString())!;
  expect(Number(from)).toBeGreaterThan(TAKEN - 500);
  expect(stdout.toString()).toContain(`to @${END}; before @0 to @${END}`);
  // A replay compares the digests, and ends with the guest's own status.
  expect((await holdoff(['replay', 'short.trace'], '', folder)).status).toBe(LOST_WORK);
  const [short, whole] = [await bisected('short.trace'), await bisected(TRACE)];
  expect(short.window).toEqual(whole.window);
  expect(whole.window).toMatchObject({ last: TAKEN, takenFirst: OPEN, takenLast: TAKEN });
  expect(whole.window.first).toBeLessThan(OPEN);
  expect(whole).toMatchObject({ goodAt: TAKEN + 1, partsAt: TAKEN });
  // The first instruction that tells: the next entry's look at the flags.
  expect(whole['difference']).toMatchObject({ bad: { symbol: 'system_call+0xe' } });
});

test('seeds are tried until a run is bad, and its trace shows it', async () => {
  const { status, stdout } = await holdoff(
    ['record', IMAGE, '--memory', '16M', '--clock', 'random', '--seed', '4', '--until-bad']
      .concat(['--bad-exit', `==${LOST_WORK}`, '--runs', '50', '--budget', '200000'])
      .concat(['-o', 'found.trace']),
    '',
    folder,
  );
  expect(status).toBe(0);
  expect(stdout.toString()).toMatch(
    /^seed \d+, run \d+: --bad-exit ==67: the guest exited with status 67/,
  );
  expect((await holdoff(['replay', 'found.trace'], '', folder)).status).toBe(LOST_WORK);
});

test('--until-bad says what it misses', async () => {
  const virtual = await holdoff(['record', IMAGE, '--until-bad', '--bad-crash'], '', folder);
  expect(virtual.stderr).toContain('add --clock random');
  const words = ['record', IMAGE, '--until-bad', '--clock', 'random'];
  expect((await holdoff(words, '', folder)).stderr).toContain('needs a verdict');
});
