/**
 * The terminal as a guest's console: every key at once, none echoed or taken for a signal. It gets back
 * the mode that it had whichever way the process ends; SIGKILL alone leaves nobody to do so.
 */
import type { ReadStream } from 'node:tty';

/** Signals whose default is to end the process without any clean-up. */
const SIGNALS = ['SIGQUIT', 'SIGABRT'] as const;
/** As a shell reports a process that was ended by a signal. */
const STATUS_SIGNALLED = 128;
const SIGNAL_NUMBERS = { SIGQUIT: 3, SIGABRT: 6 };

/** A terminal in raw mode, from construction to `release`. */
export class RawTerminal {
  readonly #terminal: ReadStream;
  readonly #restore = (): void => {
    this.#terminal.setRawMode(false);
  };
  /** A shell that stopped this process has set the mode that it likes. */
  readonly #resume = (): void => {
    this.#restore();
    this.#terminal.setRawMode(true);
  };
  readonly #end = (signal: keyof typeof SIGNAL_NUMBERS): void => {
    process.exit(STATUS_SIGNALLED + SIGNAL_NUMBERS[signal]);
  };

  constructor(terminal: ReadStream) {
    this.#terminal = terminal;
    terminal.setRawMode(true);
    process.on('exit', this.#restore);
    process.on('SIGCONT', this.#resume);
    for (const signal of SIGNALS) process.on(signal, this.#end);
  }

  /** Puts the mode back. */
  release(): void {
    this.#restore();
    process.off('exit', this.#restore);
    process.off('SIGCONT', this.#resume);
    for (const signal of SIGNALS) process.off(signal, this.#end);
  }
}
