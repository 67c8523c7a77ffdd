import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ECHO, GUEST_ADDRESS, LISTENER, LOOP } from '../guests.js';
import { holdoff } from '../holdoff.js';
import { hasPython, type Move, onTerminal, type TerminalRun } from './terminal.js';

const folder = mkdtempSync(join(tmpdir(), 'holdoff-terminal-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'listener.bin'), LISTENER);
writeFileSync(join(folder, 'echo.bin'), ECHO);
writeFileSync(join(folder, 'loop.bin'), LOOP);

const at = ['--address', GUEST_ADDRESS, '--memory', '2M'];
const HINT = 'Ctrl-A h helps\r\n';
const CTRL_A = '\x01';
const CTRL_C = '\x03';

const run = (image: string, ...moves: Move[]): Promise<TerminalRun> =>
  onTerminal(['run', image, ...at], moves, folder);

describe.skipIf(!hasPython)('a terminal (skipped where there is no python3)', () => {
  test('is raw while the guest runs: each key reaches the guest, control keys too', async () => {
    const ended = await run('listener.bin', [HINT, `a${CTRL_C}\x1a\x04\r\x7fq`]);
    expect(ended).toMatchObject({ status: 99, wasRaw: true, isRestored: true });
    expect(ended.output).toContain(`${HINT}a${CTRL_C}\x1a\x04\r\x7fq`);
  });

  test('Ctrl-A x leaves, Ctrl-A h helps, Ctrl-A Ctrl-A is the guest’s Ctrl-A', async () => {
    const ended = await run(
      'listener.bin',
      [HINT, `b${CTRL_A}${CTRL_A}c`],
      [`b${CTRL_A}c`, `${CTRL_A}h`],
      ['Ctrl-A x       leave', `${CTRL_A}x`],
    );
    expect(ended).toMatchObject({ status: 130, isRestored: true, left: 0 });
    expect(ended.output).toMatch(/\r\nholdoff: the run was interrupted at @\d+\r\n$/);
  });

  test('what is typed while recording is in the trace', async () => {
    const words = ['record', 'echo.bin', '-o', 'typed.trace', ...at];
    const recorded = await onTerminal(words, [[HINT, 'so it is q']], folder);
    expect(recorded).toMatchObject({ status: 99, isRestored: true });
    const replayed = await holdoff(['replay', 'typed.trace'], '', folder);
    expect(replayed.status, replayed.stderr).toBe(99);
    expect(replayed.stdout.toString()).toBe('so it is q');
  });

  test('leaving ends a recording cleanly', async () => {
    const words = ['record', 'listener.bin', '-o', 'left.trace', ...at];
    const recorded = await onTerminal(
      words,
      [
        [HINT, 'z'],
        ['z', `${CTRL_A}x`],
      ],
      folder,
    );
    expect(recorded).toMatchObject({ status: 0, isRestored: true, left: 0 });
    expect((await holdoff(['replay', 'left.trace'], '', folder)).status).toBe(0);
  });

  test('Ctrl-C ends the run of a guest that does not listen', async () => {
    const ended = await run('loop.bin', [HINT, CTRL_C]);
    expect(ended).toMatchObject({ status: 130, wasRaw: true, isRestored: true });
  });

  // SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGTERM
  test.each([1, 2, 3, 6, 15])('has its modes back after signal %i', async (signal) => {
    const ended = await run('listener.bin', [HINT, { signal }]);
    expect(ended).toMatchObject({ wasRaw: true, isRestored: true });
    expect(ended.status).toBeGreaterThan(0);
  });

  test('is left alone with --serial null', async () => {
    const words = ['run', 'loop.bin', ...at, '--serial', 'null', '--max-instructions', '1000000'];
    expect(await onTerminal(words, [], folder)).toMatchObject({ status: 0, wasRaw: false });
  });
});
