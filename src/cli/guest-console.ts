/**
 * The guest's serial line on this process's standard streams. Output is written in batches, byte for
 * byte as the guest sent it; a reader that has gone away (`holdoff run k.elf | head`) is no error.
 */
import type { Progress } from './progress.js';

const BATCH_BYTES = 4096;
const NEWLINE = 0x0a;

/** What the bytes go to: process.stdout, or nothing. */
export interface ByteStream {
  write(bytes: Uint8Array): unknown;
}

/** Collects the guest's bytes; `flush` passes them on. */
export class GuestConsole {
  readonly #stream: ByteStream | null;
  readonly #progress: Progress;
  readonly #pending = new Uint8Array(BATCH_BYTES);
  #length = 0;
  #isLineStart = true;

  /** @param stream where the bytes go; null drops them. */
  constructor(stream: ByteStream | null, progress: Progress) {
    this.#stream = stream;
    this.#progress = progress;
  }

  /** The cursor of a terminal that shows the bytes is at the start of a line. */
  get isLineStart(): boolean {
    return this.#isLineStart;
  }

  write(byte: number): void {
    if (this.#stream === null) return;
    this.#pending[this.#length] = byte;
    this.#length += 1;
    if (this.#length === BATCH_BYTES) this.flush();
  }

  flush(): void {
    if (this.#length === 0 || this.#stream === null) return;
    this.#progress.clear();
    // The stream may keep what it is given, so it gets a copy.
    this.#stream.write(this.#pending.slice(0, this.#length));
    this.#isLineStart = this.#pending[this.#length - 1] === NEWLINE;
    this.#length = 0;
  }
}

/** Calls `gone` when the reader of standard output has gone away. */
export function watchStdout(gone: () => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') gone();
  });
}
