/** `--bad-script`: a program that judges a run by its trace, as `git bisect run` has one judge a commit. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../machine/user-error.js';
import type { TraceStart } from '../replay/trace-format.js';
import type { ScriptAnswer, ScriptAsker } from '../search/verdict.js';
import { OutputFile, writeEvents } from './trace-file.js';
import { withImagesInside } from './trace-images.js';

const SKIP = 125;

/** Asks a shell command, to which the path of a trace is appended; its output goes to stderr. */
export function scriptAsker(start: TraceStart): ScriptAsker {
  return (command, events): ScriptAnswer => {
    const folder = mkdtempSync(join(tmpdir(), 'holdoff-script-'));
    try {
      const path = join(folder, 'run.trace');
      // The script knows of no folder of images.
      writeEvents(OutputFile.create(path), withImagesInside(start), events);
      const words = ['-c', `${command} "$1"`, 'holdoff', path];
      const { status, signal, error } = spawnSync('/bin/sh', words, {
        stdio: ['ignore', 2, 'inherit'],
      });
      if (status === 0) return 'good';
      if (status === SKIP) return 'skip';
      if (status !== null && status < SKIP) return 'bad';
      const how = error?.message ?? signal ?? `status ${status}`;
      throw new UserError(
        `--bad-script ${command}: ended with ${how}; it must exit with 0, 1 to 124, or 125`,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}
