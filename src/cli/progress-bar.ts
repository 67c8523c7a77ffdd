/** A bar with rate and time left, for work of which the amount is known. */
import { groupDigits } from './numbers.js';
import { Progress, type ProgressStream, roundCount } from './progress.js';

const WIDTH = 24;

/** Shows how much of some work is done; nothing where the stream is no terminal. */
export class ProgressBar {
  readonly #progress: Progress;
  readonly #what: string;
  readonly #now: () => number;
  readonly #began: number;

  /** @param now milliseconds of any steady clock. */
  constructor(stream: ProgressStream, what: string, now: () => number) {
    this.#progress = new Progress(stream);
    this.#what = what;
    this.#now = now;
    this.#began = now();
  }

  show(done: number, total: number): void {
    const now = this.#now();
    this.#progress.show(now, () => barText(this.#what, done, total, now - this.#began));
  }

  clear(): void {
    this.#progress.clear();
  }
}

/** `runs [######----] 60 %, 1,200 of 2,000, 340/s, 2 s left`. */
export function barText(what: string, done: number, total: number, milliseconds: number): string {
  const part = total === 0 ? 1 : done / total;
  const full = Math.floor(part * WIDTH);
  const bar = `${'#'.repeat(full)}${'-'.repeat(WIDTH - full)}`;
  const rate = (done / Math.max(milliseconds, 1)) * 1000;
  const left = rate === 0 ? '' : `, ${durationText((total - done) / rate)} left`;
  return `${what} [${bar}] ${Math.floor(part * 100)} %, ${groupDigits(done)} of ${groupDigits(total)}, ${roundCount(Math.round(rate))}/s${left}`;
}

function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
