/** Runs a verb of the command line in this process, for the JSON that it prints. */
import { vi } from 'vitest';
import { STATUS_ERROR } from '../../../src/cli/errors.js';
import { runCommandLine } from '../../../src/cli/program.js';
import { UserError } from '../../../src/machine/user-error.js';

/** What `holdoff WORDS... --json` prints. @throws UserError, or Error where it ends with another status. */
export async function jsonOf<T>(words: readonly string[]): Promise<T> {
  let printed = '';
  const take = (text: string): void => {
    printed += text;
  };
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    take(String(text));
    return true;
  });
  const chatter = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  let problems = '';
  let status: number;
  try {
    const stderr = (text: string): void => {
      problems += text;
    };
    status = await runCommandLine([...words, '--json'], { stdout: take, stderr }, false);
  } finally {
    stdout.mockRestore();
    chatter.mockRestore();
  }
  if (status === STATUS_ERROR) throw new UserError(problems);
  if (status !== 0) throw new Error(`holdoff ${words.join(' ')}: status ${status}: ${problems}`);
  return JSON.parse(printed) as T;
}

/** A row of `holdoff explore --json`, as far as it is looked at here. */
export interface ExploredBoundary {
  readonly instant: number;
  readonly eip: number;
  readonly mark: 'good' | 'bad' | 'unreachable' | 'lost' | 'untried';
  /** Not null where the placement makes the run bad, whether it was run itself or stands for another. */
  readonly failure: number | null;
}

/** What `holdoff bisect --json` prints, likewise. */
export interface BisectedEvent {
  readonly instant: number;
  readonly kind: string;
  readonly window: {
    readonly first: number;
    readonly last: number;
    readonly takenFirst: number;
    readonly takenLast: number;
  };
}

/** Where the two runs part, likewise. */
export interface BisectedDifference {
  readonly differenceIn: string;
  readonly difference: { readonly bad: { readonly symbol: string; readonly instruction: string } };
}
