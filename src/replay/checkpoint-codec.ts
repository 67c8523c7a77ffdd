/**
 * Checkpoints as chunks of a trace: see docs/trace-format.md, "Checkpoints". A checkpoint with many pages
 * is several chunks, so that no reader must allocate more at a time than one chunk may hold.
 */
import { LAYOUT_VERSION } from '../cpu/state-layout.js';
import type { MachineState } from '../machine/machine.js';
import {
  CHECKPOINT_PAGE_BYTES,
  type CheckpointRecord,
  type ClockValues,
  noClockValues,
} from './checkpoint-record.js';
import { CHUNK_CHECKPOINT, CHUNK_PAGES, type CHUNK_START } from './chunk-frame.js';
import { DIGEST_BYTES_MOST } from './event.js';
import { CLOCK_SOURCES } from './event-predictions.js';
import type { Instant } from './instant.js';
import { packValue } from './msgpack.js';
import { asBytes, asHex, UINT32, UINT53, ValueReader } from './value-reader.js';

/** The most pages in one chunk: 4 MiB. */
const PAGES_MOST = 1024;
/** The most bytes of a processor's state, and numbers of a device's. */
const CPU_BYTES_MOST = 1 << 16;
const DEVICE_NUMBERS_MOST = 1 << 16;
const DEVICES_MOST = 64;
/** Pages of the physical address space. */
const PAGE_NUMBERS = { least: 0, most: (1 << 20) - 1 };

/** A chunk that is to be written. */
export interface CheckpointChunk {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** The chunks of a checkpoint, of which the last one has the type that is asked for. */
export function encodeCheckpoint(
  record: CheckpointRecord,
  type: typeof CHUNK_CHECKPOINT | typeof CHUNK_START,
): CheckpointChunk[] {
  const pages = [...record.pages];
  const chunks: CheckpointChunk[] = [];
  while (pages.length > PAGES_MOST) {
    const payload = packValue(pageValues(pages.splice(0, PAGES_MOST)));
    chunks.push({ type: CHUNK_PAGES, payload });
  }
  const { state, digest, clocks } = record;
  const devices = Object.entries(state.devices).flat();
  const head = [
    LAYOUT_VERSION,
    state.cpu,
    asBytes(digest),
    ...CLOCK_SOURCES.map((source) => clocks[source] ?? -1),
    devices.length / 2,
    ...devices,
  ];
  chunks.push({ type, payload: packValue([...pageValues(pages), ...head]) });
  return chunks;
}

/** How many pages there are, the number of each as a difference to the one before, and all their bytes. */
function pageValues(pages: readonly (readonly [number, Uint8Array])[]): unknown[] {
  const bytes = new Uint8Array(pages.length * CHECKPOINT_PAGE_BYTES);
  const numbers: number[] = [];
  let last = 0;
  pages.forEach(([page, difference], place) => {
    numbers.push(page - last);
    last = page;
    bytes.set(difference, place * CHECKPOINT_PAGE_BYTES);
  });
  return [pages.length, ...numbers, bytes];
}

/** What is known of a checkpoint whose last chunk was not read yet. */
export class CheckpointDecoder {
  readonly #pages = new Map<number, Uint8Array>();

  /** Reads a chunk of pages. @throws Malformed */
  addPages(payload: Uint8Array): void {
    const reader = new ValueReader(payload);
    this.#takePages(reader);
  }

  /**
   * Reads the last chunk.
   * @param at the instant that its frame names.
   * @throws Malformed of kind `unsupported` where the processor's state has another layout.
   */
  finish(payload: Uint8Array, at: Instant): CheckpointRecord {
    const reader = new ValueReader(payload);
    this.#takePages(reader);
    const layout = reader.integer(UINT32, 'the layout of a state');
    if (layout !== LAYOUT_VERSION) {
      throw reader.malformed(`layout ${LAYOUT_VERSION} of a state`, `${layout}`, 'unsupported');
    }
    const cpu = reader.bytes(CPU_BYTES_MOST, 'the state of a processor');
    const digest = asHex(reader.bytes(DIGEST_BYTES_MOST, 'a digest'));
    const clocks: Record<string, number | null> = noClockValues();
    for (const source of CLOCK_SOURCES) {
      const value = reader.integer({ least: -1, most: UINT53.most }, 'the last value of a clock');
      clocks[source] = value < 0 ? null : value;
    }
    const state: MachineState = { cpu, devices: takeDevices(reader) };
    return { at, state, digest, clocks: clocks as ClockValues, pages: this.#pages };
  }

  #takePages(reader: ValueReader): void {
    const count = reader.integer({ least: 0, most: PAGES_MOST }, 'a number of pages');
    const numbers: number[] = [];
    let page = 0;
    for (let place = 0; place < count; place++) {
      page += reader.integer(PAGE_NUMBERS, 'the number of a page');
      const last = numbers.at(-1) ?? -1;
      if (page <= last || page > PAGE_NUMBERS.most || this.#pages.has(page)) {
        throw reader.malformed('pages in the order of their numbers', `page ${page}`);
      }
      numbers.push(page);
    }
    const most = count * CHECKPOINT_PAGE_BYTES;
    const bytes = reader.bytes(most, 'the bytes of pages');
    if (bytes.length !== most) {
      throw reader.malformed(`${count} pages of 4096 bytes`, `${bytes.length} bytes`);
    }
    numbers.forEach((number, place) => {
      const start = place * CHECKPOINT_PAGE_BYTES;
      this.#pages.set(number, bytes.subarray(start, start + CHECKPOINT_PAGE_BYTES));
    });
  }
}

function takeDevices(reader: ValueReader): MachineState['devices'] {
  const devices: [string, readonly number[]][] = [];
  const count = reader.integer({ least: 0, most: DEVICES_MOST }, 'a number of devices');
  for (let place = 0; place < count; place++) {
    const name = reader.text('the name of a device');
    devices.push([name, reader.numbers(DEVICE_NUMBERS_MOST, `the state of ${name}`)]);
  }
  return Object.fromEntries(devices);
}
