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

/**
 * Records guest/window until SIGKILL ends it, `milliseconds` after the file has its first bytes, and
 * expects that the trace replays up to its last whole chunk. How many instants that was.
 */
export async function killAndReplay(folder: string, milliseconds: number): Promise<number> {
  const path = join(folder, 'killed.trace');
  rmSync(path, { force: true });
  const image = packagePath('guest/window/window.elf');
  const child = start(['record', image, '-o', path, '--clock', 'random']);
  const ended = finished(child);
  while (!existsSync(path) || statSync(path).size < STARTED_BYTES) await sleep(POLL_MILLISECONDS);
  await sleep(milliseconds);
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
