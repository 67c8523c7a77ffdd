/** holdoff on a terminal of its own, with somebody who types. */
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { commandLine } from '../holdoff.js';

const driver = fileURLToPath(new URL('typist.py', import.meta.url));

/** Whether there is the Python that makes the terminal. */
export const hasPython: boolean = spawnSync('python3', ['--version']).status === 0;

/** Wait for this text, then type that, or send a signal. */
export type Move = readonly [text: string, send: string | { readonly signal: number }];

export interface TerminalRun {
  /** The exit status; negative: the signal. Null where it did not end in time. */
  readonly status: number | null;
  /** All that the terminal showed. */
  readonly output: string;
  /** The terminal's modes were changed meanwhile. */
  readonly wasRaw: boolean;
  /** They are in the end what they were. */
  readonly isRestored: boolean;
  /** Moves whose text never came. */
  readonly left: number;
}

/** Runs holdoff to its end on a terminal. */
export async function onTerminal(
  words: readonly string[],
  moves: readonly Move[],
  cwd: string,
): Promise<TerminalRun> {
  const words_ = [driver, JSON.stringify(moves), ...commandLine(words)];
  const child = spawn('python3', words_, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return JSON.parse(Buffer.concat(output).toString()) as TerminalRun;
}
