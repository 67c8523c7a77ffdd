/** `holdoff explore` on the race of traces/sti-sysexit-padding. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { finished, holdoff, start } from './holdoff.js';
import { OPEN, TAKEN, TRACE } from './padding-race.js';

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

const RANGE = ['--from', `@${TAKEN - 16}`, '--to', `@${TAKEN + 4}`, '--budget', '20000'];

test('the window is from the boundary behind the shadow of STI to SYSEXIT, and its trace replays', async () => {
  const { status, stdout, stderr } = await holdoff(
    ['explore', TRACE, '--irq', '0', ...RANGE, '--out', 'found', '--json'],
    '',
    folder,
  );
  expect(status).toBe(0);
  const found = JSON.parse(stdout.toString()) as Found;
  expect(found).toMatchObject({ event: 'IRQ 0', moved: TAKEN });
  expect(found.firstBad).toMatchObject({ instant: OPEN, symbol: 'sti_sysexit_sti+0x2' });
  expect(found.lastBad).toMatchObject({ instant: TAKEN, symbol: 'sti_sysexit_sysexit' });
  expect(found.boundaries.filter(({ mark }) => mark === 'bad')).toHaveLength(4);
  const held = found.boundaries.filter(({ mark }) => mark === 'unreachable');
  expect(held.map(({ instant }) => instant)).toEqual(held.map((_, i) => OPEN - held.length + i));
  expect(held.length).toBeGreaterThan(5);
  // What is held off is not run again.
  const runs = found.boundaries.length - held.length;
  expect(stderr).toContain(`holdoff: ${runs} runs in `);
  expect(held.every(({ runAt }) => runAt === OPEN)).toBe(true);
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

test.each([
  [['--irq', '16'], 'this machine has no line 16 to raise: record it with --apic'],
  [['--exception', '3:5'], 'Vector 3 has no error code: leave it out'],
  [['--exception', '2'], '2 is spelt nmi'],
  [['--irq', '0', '--bad-exit', 'eax == 1'], 'only status or value can be named here'],
  [['--irq', '0', '--assert', ': 1'], 'expected a symbol or an address'],
  [['--irq', '0', '--nmi'], 'name one event to place'],
])('%j is refused in one line, and nothing runs', async (words, expected) => {
  const { status, stdout, stderr } = await holdoff(
    ['explore', TRACE, ...words, ...RANGE],
    '',
    folder,
  );
  expect({ status, stdout: stdout.toString() }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain(expected);
  expect(stderr).not.toContain('bug');
});

const VISITS = ['--in', 'sti_sysexit_sti..sti_sysexit_sysexit', '--to', `@${TAKEN}`];
const SEARCH = ['explore', TRACE, '--irq', '0', ...VISITS, '--budget', '2000'];

test('a search that Ctrl-C stops prints what it knows; with --resume it goes on, and says the same', async () => {
  const child = start([...SEARCH, '--workers', '1'], folder);
  child.stdin.end();
  child.stderr.once('data', () => child.kill('SIGINT'));
  const stopped = await finished(child);
  expect(stopped.status).toBe(130);
  expect(stopped.stdout.toString()).toMatch(/[\d,]+ not tried/);
  expect(stopped.stderr).toContain('the same with --resume goes on');
  const [resumed, whole] = await Promise.all([
    holdoff([...SEARCH, '--workers', '1', '--resume'], '', folder),
    holdoff([...SEARCH, '--workers', '2'], '', folder),
  ]);
  expect(resumed.status).toBe(0);
  // What was found before is not searched again.
  const runs = (text: string): number =>
    Number(/([\d,]+) runs? in/.exec(text)![1].replace(',', ''));
  expect(runs(resumed.stderr)).toBeLessThan(runs(whole.stderr));
  expect(resumed.stdout.toString()).toBe(whole.stdout.toString());
});

test('a script is asked about runs that no other verdict calls bad, and may not know', async () => {
  const { status, stdout } = await holdoff(
    [
      'explore',
      TRACE,
      '--irq',
      '0',
      '--from',
      `@${TAKEN - 1}`,
      '--to',
      `@${TAKEN + 1}`,
      '--budget',
      '20000',
    ]
      .concat(['--bad-exit', '==67', '--bad-script', 'head -c 9 >/dev/null; exit 125; #'])
      .concat('--json'),
    '',
    folder,
  );
  expect(status).toBe(0);
  const { boundaries } = JSON.parse(stdout.toString()) as Found;
  expect(boundaries.map(({ mark }) => mark)).toEqual(['bad', 'bad', 'untried']);
});
