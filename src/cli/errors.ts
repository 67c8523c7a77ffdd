/**
 * How holdoff ends when something is wrong: one line on stderr, and an exit status that says whose
 * turn it is. A user never sees a stack trace unless HOLDOFF_DEBUG=1 asks for it.
 */
import { CommanderError } from 'commander';
import { UserError } from '../machine/user-error.js';
import { TextMistake } from '../search/mistake.js';

/** Everything went as asked. */
export const STATUS_OK = 0;
/** The user's error, or a bug of ours: one line on stderr says which. */
export const STATUS_ERROR = 1;
/** A replay did not do what its trace says. */
export const STATUS_DIVERGED = 2;
/** Ended by SIGINT, as a shell reports it. */
export const STATUS_INTERRUPTED = 130;

const REPORT = 'this is a bug in holdoff: please report it with the output of HOLDOFF_DEBUG=1';

/** What to print for a thrown value, and with which status to exit. */
export interface Ending {
  readonly status: number;
  /** Lines for stderr, each ending in a newline; empty where all was said already. */
  readonly message: string;
}

/** Turns whatever a verb threw into its line and its status. Control characters are made visible. */
export function describeError(error: unknown, isDebugging: boolean): Ending {
  if (error instanceof CommanderError) {
    // Commander has printed its own line (see program.ts), or help or the version that was asked for.
    return { status: error.exitCode === 0 ? STATUS_OK : STATUS_ERROR, message: '' };
  }
  const stack = isDebugging && error instanceof Error ? `${error.stack ?? ''}\n` : '';
  if (error instanceof TextMistake) {
    const message = `holdoff: ${oneLine(error.message)}\n${error.picture}\n${stack}`;
    return { status: STATUS_ERROR, message };
  }
  if (error instanceof UserError) {
    return { status: STATUS_ERROR, message: `holdoff: ${oneLine(error.message)}\n${stack}` };
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { status: STATUS_ERROR, message: `holdoff: ${oneLine(what)}; ${REPORT}\n${stack}` };
}

/** The reasons for which a file cannot be had, in a user's words. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file; check the path',
  EISDIR: 'is a directory; name a file',
  ENOTDIR: 'a part of the path is not a directory; check the path',
  EACCES: 'permission denied; check its permissions',
  EPERM: 'operation not permitted; check its permissions',
  EROFS: 'the file system is read-only; choose another place',
  ENOSPC: 'no space left on the device; free some or choose another place',
  EEXIST: 'it exists already; choose another name',
};

/**
 * A failed file operation as a user's error: `cannot read kernel.elf: no such file; check the path`.
 * What isn't a system error comes back as it is, since it is a bug.
 */
export function fileError(action: string, path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const code = String(error.code);
  const reason = code in REASONS ? REASONS[code] : `${code}; check the path`;
  return new UserError(`cannot ${action} ${path}: ${reason}`);
}

/** Text with its control characters escaped, so that it is one line and cannot steer a terminal. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => {
    if (character === '\n') return '\\n';
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
