/** `holdoff explore` on the race of traces/sti-sysexit-padding. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { holdoff } from './holdoff.js';

const TRACE = fileURLToPath(
  new URL('../../traces/sti-sysexit-padding/race.trace', import.meta.url),
);
const folder = mkdtempSync(join(tmpdir(), 'holdoff-explore-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Boundary {
  readonly instant: number;
  readonly symbol: string;
  readonly mark: string;
  readonly runAt: number;
}

interface Found {
  readonly event: string;
  readonly moved: number | null;
  readonly firstBad: Boundary | null;
  readonly lastBad: Boundary | null;
  readonly failures: readonly { readonly what: string; readonly trace: string | null }[];
  readonly boundaries: readonly Boundary[];
}

const RANGE = ['--from', '@57230', '--to', '@57250', '--budget', '20000'];

test('the window is from the boundary behind the shadow of STI to SYSEXIT, and its trace replays', async () => {
  const { status, stdout, stderr } = await holdoff(
    ['explore', TRACE, '--irq', '0', ...RANGE, '--out', 'found', '--json'],
    '',
    folder,
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const found = JSON.parse(stdout.toString()) as Found;
  expect(found).toMatchObject({ event: 'IRQ 0', moved: 57246 });
  expect(found.firstBad).toMatchObject({ instant: 57243, symbol: 'sti_sysexit_sti+0x2' });
  expect(found.lastBad).toMatchObject({ instant: 57246, symbol: 'sti_sysexit_sysexit' });
  expect(found.boundaries.filter(({ mark }) => mark === 'bad')).toHaveLength(4);
  const held = found.boundaries.filter(({ mark }) => mark === 'unreachable');
  expect(held.map(({ instant }) => instant)).toEqual([
    57233, 57234, 57235, 57236, 57237, 57238, 57239, 57240, 57241, 57242,
  ]);
  expect(held.every(({ runAt }) => runAt === 57243)).toBe(true);
  expect(found.failures).toHaveLength(1);
  const replayed = await holdoff(['replay', found.failures[0].trace!], '', folder);
  expect(replayed.status).toBe(67);
});

test('a typo in an assertion is shown with a caret, and nothing runs', async () => {
  const { status, stdout, stderr } = await holdoff(
    ['explore', TRACE, '--irq', '0', ...RANGE, '--assert', 'cpl3: u8[need_reched] == 0'],
    '',
    folder,
  );
  expect(status).toBe(1);
  expect(stdout.toString()).toBe('');
  expect(stderr).toBe(
    'holdoff: no register or symbol is named need_reched\n' +
      '  cpl3: u8[need_reched] == 0\n' +
      '           ^\n',
  );
});
