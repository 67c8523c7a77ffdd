/** What a run has sent to its serial port, by instants: lines begin in a base run and end in a try. */
import type { Instant } from '../replay/instant.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Bytes with the instants of the steps that sent them, ascending. */
export class SerialLog {
  readonly instants: Instant[] = [];
  readonly bytes: number[] = [];

  add(at: Instant, byte: number): void {
    this.instants.push(at);
    this.bytes.push(byte);
  }

  /** What was sent in the steps before an instant, as a log of its own. */
  before(at: Instant): SerialLog {
    const log = new SerialLog();
    const count = this.#countBefore(at);
    log.instants.push(...this.instants.slice(0, count));
    log.bytes.push(...this.bytes.slice(0, count));
    return log;
  }

  /** What was sent of the line that is under way in the state at an instant. */
  lineAt(at: Instant): string {
    const end = this.#countBefore(at);
    const start = end === 0 ? 0 : this.bytes.lastIndexOf(NEWLINE, end - 1) + 1;
    const line = this.bytes.slice(start, end).filter((byte) => byte !== RETURN);
    return String.fromCharCode(...line);
  }

  #countBefore(at: Instant): number {
    let low = 0;
    let high = this.instants.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.instants[middle] < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
