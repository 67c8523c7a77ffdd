/**
 * Checkpoints as traces hold them: the small state, and of RAM what differs from the checkpoint before, so
 * that a whole series of them stays small. Unlike the checkpoints of a timeline they outlive the process,
 * and what is read is believed only as far as it was checked.
 */
import type { ClockSource } from '../machine/input.js';
import type { Machine, MachineState } from '../machine/machine.js';
import { StateDigest } from './digest.js';
import { CLOCK_SOURCES } from './event-predictions.js';
import type { Instant } from './instant.js';
import { WrittenPages } from './written-pages.js';

/** The last value that each clock gave before an instant; null where it was not read. */
export type ClockValues = Readonly<Record<ClockSource, number | null>>;

/** One checkpoint of a trace. */
export interface CheckpointRecord {
  readonly at: Instant;
  readonly state: MachineState;
  /** The digest of the whole state, RAM included: lower-case hexadecimal. */
  readonly digest: string;
  readonly clocks: ClockValues;
  /**
   * By page number, ascending: the bytes of the page XOR those that it had at the checkpoint before it in
   * the trace; of the first one, those when the images were loaded. Pages that are missing are the same.
   */
  readonly pages: ReadonlyMap<number, Uint8Array>;
}

export const CHECKPOINT_PAGE_BYTES = 4096;
const ZEROS = new Uint8Array(CHECKPOINT_PAGE_BYTES);

/** No clock was read yet. */
export function noClockValues(): Record<ClockSource, number | null> {
  return Object.fromEntries(CLOCK_SOURCES.map((source) => [source, null])) as Record<
    ClockSource,
    number | null
  >;
}

/** Makes the records of one machine, in the order of time. */
export class CheckpointMaker {
  readonly #machine: Machine;
  readonly #written: WrittenPages;
  readonly #digest: StateDigest;
  /** What each page held at the last record; pages of zeros are left out. */
  readonly #base = new Map<number, Uint8Array>();

  /** @param machine as it is when its images were loaded: the first record is a difference to that. */
  constructor(machine: Machine) {
    this.#machine = machine;
    this.#written = new WrittenPages(machine.cpu.core.physical);
    this.#digest = new StateDigest(machine);
    this.#takeChanged();
  }

  /** A record of the present state, which is left as it is. */
  make(clocks: ClockValues): CheckpointRecord {
    const pages = this.#takeChanged();
    const { instant: at } = this.#machine.cpu;
    return {
      at,
      state: this.#machine.save(),
      digest: this.#digest.compute(),
      clocks: { ...clocks },
      pages,
    };
  }

  /** The differences to the base, which becomes what RAM holds now. */
  #takeChanged(): Map<number, Uint8Array> {
    const differences = new Map<number, Uint8Array>();
    const { ram } = this.#machine.cpu.core.physical;
    this.#written.look((page) => {
      const start = page * CHECKPOINT_PAGE_BYTES;
      const now = ram.subarray(start, start + CHECKPOINT_PAGE_BYTES);
      const before = this.#base.get(page) ?? ZEROS;
      if (Buffer.compare(now, before) === 0) return;
      differences.set(page, xorPages(now, before));
      this.#base.set(page, now.slice());
    });
    return differences;
  }
}

/**
 * Brings a machine from a record, or from the loaded images, to the record after it in the trace.
 * @throws Error where the machine can't be in such a state; then it is in none.
 */
export function applyRecord(machine: Machine, record: CheckpointRecord): void {
  const { physical } = machine.cpu.core;
  for (const [page, difference] of record.pages) {
    const start = page * CHECKPOINT_PAGE_BYTES;
    if (start + CHECKPOINT_PAGE_BYTES > physical.ramBytes) {
      throw new Error(`the checkpoint at @${record.at} has a page ${page} beyond RAM`);
    }
    const before = physical.ram.subarray(start, start + CHECKPOINT_PAGE_BYTES);
    physical.load(start, xorPages(before, difference));
  }
  machine.restoreForeign(record.state);
  if (machine.cpu.instant === record.at) return;
  throw new Error(`the checkpoint at @${record.at} holds a state of @${machine.cpu.instant}`);
}

/** Two differences, one behind the other, as one. */
export function composePages(
  first: CheckpointRecord['pages'],
  second: CheckpointRecord['pages'],
): Map<number, Uint8Array> {
  const pages = new Map(first);
  for (const [page, difference] of second) {
    const before = pages.get(page);
    const both = before === undefined ? difference : xorPages(before, difference);
    if (both.some((byte) => byte !== 0)) pages.set(page, both);
    else pages.delete(page);
  }
  return new Map([...pages].sort(([a], [b]) => a - b));
}

/** The bytes of one page XOR those of another. */
export function xorPages(a: Uint8Array, b: Uint8Array): Uint8Array {
  const result = new Uint8Array(CHECKPOINT_PAGE_BYTES);
  for (let at = 0; at < CHECKPOINT_PAGE_BYTES; at++) result[at] = a[at] ^ b[at];
  return result;
}
