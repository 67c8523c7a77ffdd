/**
 * Ctrl-C as a wish: the first signal asks the work to stop where its output is whole, a second one
 * ends the process at once.
 */
import { STATUS_INTERRUPTED } from './errors.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens for the signals from construction to `release`. */
export class StopSignal {
  #isRaised = false;
  readonly #onRaise: () => void;
  readonly #listener = (): void => {
    if (this.#isRaised) process.exit(STATUS_INTERRUPTED);
    this.raise();
  };

  /** @param onRaise called at the first signal. */
  constructor(onRaise: () => void = () => undefined) {
    this.#onRaise = onRaise;
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  /** True once a signal has come, or `raise` was called. */
  get isRaised(): boolean {
    return this.#isRaised;
  }

  /** As if a signal had come: nobody reads the output any more, for instance. */
  raise(): void {
    if (this.#isRaised) return;
    this.#isRaised = true;
    this.#onRaise();
  }

  release(): void {
    for (const signal of SIGNALS) process.off(signal, this.#listener);
  }
}

/** Lets signals, sockets and standard input have their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
