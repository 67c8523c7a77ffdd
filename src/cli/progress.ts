/**
 * One line of progress on stderr, when stderr is a terminal: drawn over itself, taken away before
 * anything else is printed.
 */

/** What progress is written to: process.stderr, or a stand-in. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const REDRAW_MILLISECONDS = 100;
const ERASE_LINE = '\r\x1b[2K';

/** A line that says how far a long task is. Does nothing where the stream is no terminal. */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #isShown: boolean;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
    this.#isShown = stream.isTTY === true;
  }

  /**
   * Draws the text, at most ten times a second.
   * @param now milliseconds of any steady clock.
   */
  show(now: number, text: () => string): void {
    if (!this.#isShown || now - this.#drawnAt < REDRAW_MILLISECONDS) return;
    this.#drawnAt = now;
    this.#isDrawn = true;
    this.#stream.write(`${ERASE_LINE}${text()}`);
  }

  /** Takes the line away, before other output and at the end. */
  clear(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    this.#stream.write(ERASE_LINE);
  }
}

/** `12.3 M` for 12,300,000: a count at a glance. */
export function roundCount(count: number): string {
  if (count < 1e4) return String(count);
  if (count < 1e6) return `${(count / 1e3).toFixed(1)} k`;
  if (count < 1e9) return `${(count / 1e6).toFixed(1)} M`;
  return `${(count / 1e9).toFixed(2)} G`;
}
