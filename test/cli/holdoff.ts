/**
 * Runs the command line as a user does: from the sources, or with HOLDOFF_BUILT=1 in the environment
 * what was built last, which starts faster.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const sources = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const built = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const program = process.env['HOLDOFF_BUILT'] === '1' ? [built] : ['--import', loader, sources];

export interface Finished {
  /** The exit status; null where a signal ended the process. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** What to execute for holdoff with these words. */
export function commandLine(words: readonly string[]): string[] {
  return [process.execPath, ...program, ...words];
}

/** Starts holdoff. The caller owns the process. */
export function start(words: readonly string[], cwd?: string): ChildProcessWithoutNullStreams {
  const env = { ...process.env, HOLDOFF_DEBUG: undefined };
  const [node, ...rest] = commandLine(words);
  return spawn(node, rest, { cwd, env });
}

/** Waits for a started process to end, and for all that it printed. */
export function finished(child: ChildProcessWithoutNullStreams): Promise<Finished> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      resolve({
        status,
        signal,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
  });
}

/** Runs holdoff to its end with `input` as its standard input. */
export function holdoff(words: readonly string[], input = '', cwd?: string): Promise<Finished> {
  const child = start(words, cwd);
  // A process that does not read its input may close it first.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return finished(child);
}
