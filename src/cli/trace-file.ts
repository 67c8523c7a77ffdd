/** Traces on disk: written as the recording goes, read whole. */
import { closeSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { UserError } from '../machine/user-error.js';
import { checkPrelude, PRELUDE_BYTES } from '../replay/chunk-frame.js';
import type { TraceEvent } from '../replay/event.js';
import { describeDamage, type TraceDamage } from '../replay/trace-damage.js';
import {
  bytesSource,
  openTrace,
  type Trace,
  type TraceStart,
  TraceWriter,
} from '../replay/trace-format.js';
import { fileError } from './errors.js';

/** Reads a file whole. @throws UserError where it cannot be read. */
export function readInput(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileError('read', path, error);
  }
}

/** The first bytes of a file, fewer where it has not so many. @throws UserError where it cannot be read. */
function readBeginning(path: string, length: number): Uint8Array {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw fileError('read', path, error);
  }
}

/** True for a file that is a trace, or was one before it was damaged: its first bytes say so. */
export function isTraceFile(path: string): boolean {
  const start = checkPrelude(readBeginning(path, PRELUDE_BYTES));
  return start.isWhole || start.damage.kind !== 'foreign';
}

/**
 * Opens a trace. One that was cut short, as when its recorder was killed, is good up to its last whole
 * chunk, and a line on stderr says so; one with wrong bytes in it is refused.
 * @throws UserError
 */
export function openTraceFile(path: string): Trace {
  const opened = openTrace(bytesSource(readInput(path)));
  const damage = opened.isWhole ? opened.value.damage : opened.damage;
  if (opened.isWhole && (damage === null || damage.kind === 'cut')) {
    if (damage !== null) {
      const what = describeDamage(damage);
      process.stderr.write(
        `holdoff: ${path} was cut short at ${what}; what comes before is used\n`,
      );
    }
    return opened.value;
  }
  throw new UserError(`${path} ${refusal(damage!)}`);
}

function refusal(damage: TraceDamage): string {
  const what = describeDamage(damage);
  switch (damage.kind) {
    case 'foreign':
      return 'is not a holdoff trace; name a file that holdoff record wrote';
    case 'unsupported':
      return `cannot be read: ${what}`;
    case 'cut':
      return `was cut short before its recording began, at ${what}; record again`;
    case 'corrupt':
      return `is damaged at ${what}; get an undamaged copy, or record again`;
  }
}

/** A file that grows by whole writes: what was handed to `write` is in the file when it returns. */
export class OutputFile {
  readonly path: string;
  readonly #descriptor: number;
  #bytes = 0;

  private constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  /** Creates the file, or empties it where it exists. @throws UserError where that fails. */
  static create(path: string): OutputFile {
    try {
      return new OutputFile(path, openSync(path, 'w'));
    } catch (error) {
      throw fileError('write', path, error);
    }
  }

  /** Creates the file, which must not exist. @throws UserError where that fails. */
  static createNew(path: string): OutputFile {
    try {
      return new OutputFile(path, openSync(path, 'wx'));
    } catch (error) {
      throw fileError('write', path, error);
    }
  }

  /**
   * Creates a file named after the image, in the present folder: `window.trace`, or `window-2.trace`
   * where that exists. @throws UserError where that fails.
   */
  static createFor(image: string): OutputFile {
    const name = basename(image, extname(image));
    for (let copy = 1; ; copy++) {
      const path = copy === 1 ? `${name}.trace` : `${name}-${copy}.trace`;
      try {
        return new OutputFile(path, openSync(path, 'wx'));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue;
        throw fileError('write', path, error);
      }
    }
  }

  /** How many bytes were written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws UserError when the bytes cannot be written, for instance since the disk is full. */
  write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      throw fileError('write', this.path, error);
    }
    this.#bytes += bytes.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Makes a folder, and those that it lies in, where it isn't there. @throws UserError where that fails. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fileError('make', path, error);
  }
}

/** Writes a whole trace into a file that is empty, and closes it. @throws UserError where that fails. */
export function writeEvents(
  file: OutputFile,
  start: TraceStart,
  events: Iterable<TraceEvent>,
): void {
  try {
    const writer = new TraceWriter((bytes) => file.write(bytes), start);
    for (const event of events) writer.event(event);
    writer.flush();
  } finally {
    file.close();
  }
}
