/**
 * Standard input as the far end of the guest's serial line. A terminal becomes the guest's console: raw,
 * with a few keys after Ctrl-A that are holdoff's. Anything else is passed on byte for byte.
 */
import type { Machine } from '../machine/machine.js';
import type { Session } from '../replay/session.js';
import { ESCAPE_HELP, EscapeKeys } from './escape-keys.js';
import type { Progress } from './progress.js';
import { RawTerminal } from './raw-terminal.js';

/** What happens outside of the session. */
export interface SerialInputOptions {
  readonly progress: Progress;
  /** A byte has come, or the last one has. */
  readonly wake: () => void;
  /** The user wants to leave. */
  readonly leave: () => void;
}

/** Feeds a session's serial port from standard input until `release`. */
export class SerialInput {
  readonly #session: Session;
  readonly #options: SerialInputOptions;
  readonly #terminal: RawTerminal | null;

  constructor(session: Session, machine: Machine, options: SerialInputOptions) {
    this.#session = session;
    this.#options = options;
    const { stdin } = process;
    session.awaitsSerial = true;
    const close = (): void => {
      session.awaitsSerial = false;
      options.wake();
    };
    stdin.on('end', close);
    stdin.on('error', close);
    if (!stdin.isTTY) {
      this.#terminal = null;
      stdin.on('data', (bytes: Buffer) => this.#push(bytes));
      return;
    }
    this.#terminal = new RawTerminal(stdin);
    const keys = new EscapeKeys(() => machine.uart.isListening);
    stdin.on('data', (bytes: Buffer) => this.#type(keys, bytes));
    this.#say(['the terminal is the guest’s; Ctrl-A x leaves, Ctrl-A h helps']);
  }

  /** Somebody types, so that the screen is the guest's. */
  get isConsole(): boolean {
    return this.#terminal !== null;
  }

  /** Gives the terminal back. An open standard input would keep the process alive, so it is closed. */
  release(): void {
    this.#terminal?.release();
    process.stdin.destroy();
  }

  #push(bytes: Iterable<number>): void {
    this.#session.pushSerial(bytes);
    this.#options.wake();
  }

  #type(keys: EscapeKeys, bytes: Uint8Array): void {
    const { guest, commands } = keys.take(bytes);
    this.#push(guest);
    for (const command of commands) {
      if (command === 'leave') this.#options.leave();
      else this.#say(ESCAPE_HELP);
    }
  }

  #say(lines: readonly string[]): void {
    this.#options.progress.clear();
    for (const line of lines) process.stderr.write(`holdoff: ${line}\n`);
  }
}
