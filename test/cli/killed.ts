/** Recorders that are killed at random moments, and what is left of their traces. */
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { packagePath } from '../../src/cli/package-root.js';
import { finished, holdoff, start } from './holdoff.js';

/** The header and the image are in a file that has so many bytes. */
const STARTED_BYTES = 1000;
const POLL_MILLISECONDS = 5;

/** When to kill: a time after the header is in the file, or as soon as some events are. */
export type Moment = { readonly milliseconds: number } | 'first events';

/**
 * Records guest/window until SIGKILL ends it, and expects that the trace replays up to its last whole
 * chunk. How many instants that was.
 */
export async function killAndReplay(folder: string, moment: Moment): Promise<number> {
  const path = join(folder, 'killed.trace');
  rmSync(path, { force: true });
  const image = packagePath('guest/window/window.elf');
  const child = start(['record', image, '-o', path, '--clock', 'random']);
  const ended = finished(child);
  const size = (): number => (existsSync(path) ? statSync(path).size : 0);
  while (size() < STARTED_BYTES) await sleep(POLL_MILLISECONDS);
  const startedSize = size();
  if (moment !== 'first events') await sleep(moment.milliseconds);
  else while (size() === startedSize) await sleep(POLL_MILLISECONDS);
  child.kill('SIGKILL');
  // Where the guest was faster, the trace is whole, and must replay all the same.
  const wasKilled = (await ended).signal === 'SIGKILL';

  const info = await holdoff(['info', path, '--json']);
  const replay = await holdoff(['replay', path, '--json']);
  expect(info.status, info.stderr).toBe(0);
  expect(replay.status, replay.stderr).toBe(wasKilled ? 0 : 99);
  const { instants } = JSON.parse(info.stdout.toString()) as { instants: number };
  expect(JSON.parse(replay.stdout.toString())).toMatchObject({
    instants,
    divergence: null,
    outcome: { kind: wasKilled ? 'incomplete' : 'exit' },
  });
  return instants;
}
