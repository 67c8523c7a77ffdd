/**
 * How a peer that runs in Node tells when its guest printed a line: one line of JSON on stdout each, with
 * the time at which the line's last byte left the guest.
 */
const NEWLINE = 0x0a;

/** A line of the guest's, and when it came. */
export interface Stamp {
  readonly line: string;
  /** Milliseconds since 1970. */
  readonly wall: number;
  /** Milliseconds of processor time that the process has taken, all threads together. */
  readonly cpu: number;
}

/** Processor time of this process so far, in milliseconds. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

/** Puts a guest's bytes together to lines, and prints each with its time. */
export class LineStamps {
  #line = '';
  readonly #onLine: (line: string) => void;

  /** @param onLine called after a line was printed. */
  constructor(onLine: (line: string) => void = () => undefined) {
    this.#onLine = onLine;
  }

  take(byte: number): void {
    if (byte !== NEWLINE) {
      this.#line += String.fromCharCode(byte);
      return;
    }
    const line = this.#line.trimEnd();
    this.#line = '';
    const stamp: Stamp = {
      line,
      wall: performance.timeOrigin + performance.now(),
      cpu: processorTime(),
    };
    process.stdout.write(`${JSON.stringify(stamp)}\n`);
    this.#onLine(line);
  }
}
