/**
 * Traces on disk: what writes them and what reads them, in one file since they must agree.
 *
 * A trace survives its recorder: it is a sequence of chunks, each whole or not there. It is untrusted
 * input: all of it is checked when it is opened, and what is wrong is a value, `TraceDamage`, never an
 * exception. docs/trace-format.md describes every byte.
 */
import { UserError } from '../machine/user-error.js';
import { encodeCheckpoint } from './checkpoint-codec.js';
import { type CheckpointRecord, type ClockValues, noClockValues } from './checkpoint-record.js';
import {
  CHUNK_CHECKPOINT,
  CHUNK_END,
  CHUNK_EVENTS,
  CHUNK_HEADER,
  CHUNK_IMAGE,
  CHUNK_START,
  encodeChunk,
  encodePrelude,
  FRAME_BYTES,
  plain,
  unpackPayload,
} from './chunk-frame.js';
import {
  type BodyEvent,
  type EndEvent,
  type EventCounts,
  noEvents,
  type TraceEvent,
} from './event.js';
import { decodeEvents, EventEncoder } from './event-codec.js';
import { ChunkedEvents, type EventList } from './event-list.js';
import type { Instant } from './instant.js';
import type { Outcome } from './outcome.js';
import { type Checked, describeDamage, type TraceDamage } from './trace-damage.js';
import { encodeEnd } from './trace-end.js';
import {
  encodeHeader,
  formatVersionOf,
  type TraceHeader,
  type TraceStart,
} from './trace-header.js';
import {
  type CheckpointPlace,
  damageIn,
  readCheckpoint,
  scanTrace,
  type TraceIndex,
  type TraceSource,
} from './trace-scan.js';
import { ValueWriter } from './value-writer.js';

export type { TraceDamage } from './trace-damage.js';
export type { ImageEntry, TraceHeader, TraceImage, TraceStart } from './trace-header.js';
export type { TraceSource } from './trace-scan.js';

/** The writer closes a chunk once it holds so many events, or so many bytes of them. */
export const CHUNK_EVENTS_MOST = 4096;
export const CHUNK_BYTES_MOST = 1 << 16;

/**
 * Writes a trace, chunk by chunk. What the sink was given before the recorder died is a readable trace;
 * when to flush is the caller's decision, since time is not known here.
 */
export class TraceWriter {
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #counts = noEvents();
  readonly #clocks = noClockValues();
  #encoder = new EventEncoder(0);
  /** The open chunk: its values, and how many events they are. */
  readonly #values = new ValueWriter();
  #bufferedEvents = 0;
  /** Where the open chunk starts, and its last event. */
  #from: Instant = 0;
  #lastAt: Instant = 0;
  #sequence = 0;
  #bytes = 0;
  #hasEnded = false;

  /**
   * Hands the header and the images to the sink.
   * @param sink takes each chunk as it becomes whole, in one call; the bytes are its own to keep.
   */
  constructor(sink: (bytes: Uint8Array) => void, start: TraceStart) {
    this.#sink = sink;
    this.#write(encodePrelude(formatVersionOf(start)));
    this.#chunk(CHUNK_HEADER, 0, encodeHeader(start));
    for (const { bytes, outsidePath } of start.images) {
      if (outsidePath === undefined) this.#chunk(CHUNK_IMAGE, 0, bytes);
    }
    if (start.checkpoint === undefined) return;
    this.#checkpoint(start.checkpoint, CHUNK_START);
    this.#lastAt = start.checkpoint.at;
    this.#encoder = new EventEncoder(this.#lastAt);
    Object.assign(this.#clocks, start.checkpoint.clocks);
  }

  /** Bytes that the sink was given so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Events so far, those not yet flushed included. */
  get counts(): Readonly<EventCounts> {
    return this.#counts;
  }

  /**
   * Adds an event, no earlier than the last one.
   * @throws Error where it is, or where one of its values is out of range: a bug.
   */
  event(event: TraceEvent): void {
    if (event.kind === 'end') this.end(event.at, event.outcome, event.digest);
    else this.#body(event);
  }

  /**
   * Closes the open chunk and hands it to the sink.
   * @param upTo that nothing more will come before this instant: a killed trace replays up to here. The
   *   instant of the last event where it is left out.
   */
  flush(upTo: Instant = this.#lastAt): void {
    if (upTo < this.#lastAt)
      throw new Error(`flush to @${upTo} after an event at @${this.#lastAt}`);
    if (this.#hasEnded || (this.#bufferedEvents === 0 && upTo === this.#from)) return;
    this.#chunk(CHUNK_EVENTS, upTo, this.#values.payload());
    this.#lastAt = upTo;
    this.#encoder = new EventEncoder(upTo);
    this.#values.cutTo(0, 0);
    this.#bufferedEvents = 0;
  }

  /** The last value of each clock in the trace so far. */
  get clocks(): ClockValues {
    return this.#clocks;
  }

  /**
   * Adds a checkpoint, whose state is the one behind all events so far; flushes before it. It must be the
   * difference to the checkpoint before it.
   */
  checkpoint(record: CheckpointRecord): void {
    this.#expectOpen();
    this.flush(record.at);
    this.#checkpoint(record, CHUNK_CHECKPOINT);
  }

  /** Ends the trace: flushes and writes the last chunk. Nothing may follow. */
  end(at: Instant, outcome: Outcome, digest: string): void {
    this.#expectOpen();
    this.flush();
    if (at < this.#from) throw new Error(`end at @${at} after an event at @${this.#from}`);
    const end: EndEvent = { kind: 'end', at, outcome, digest };
    this.#chunk(CHUNK_END, at, encodeEnd(end, this.#counts));
    this.#hasEnded = true;
  }

  #body(event: BodyEvent): void {
    this.#expectOpen();
    const values = this.#values;
    const { count, byteLength } = values;
    this.#encoder.encode(event, values);
    if (values.byteLength > CHUNK_BYTES_MOST) {
      values.cutTo(count, byteLength);
      this.flush();
      this.#body(event);
      return;
    }
    this.#bufferedEvents += 1;
    this.#lastAt = event.at;
    this.#counts[event.kind] += 1;
    if (event.kind === 'clock') this.#clocks[event.source] = event.value;
    if (this.#bufferedEvents === CHUNK_EVENTS_MOST) this.flush();
  }

  #checkpoint(record: CheckpointRecord, type: typeof CHUNK_CHECKPOINT | typeof CHUNK_START): void {
    for (const { type: part, payload } of encodeCheckpoint(record, type)) {
      this.#chunk(part, part === CHUNK_START ? record.at : this.#from, payload);
    }
  }

  #expectOpen(): void {
    if (this.#hasEnded) throw new Error('the trace has ended');
  }

  #chunk(type: number, to: Instant, payload: Uint8Array): void {
    this.#write(encodeChunk({ type, sequence: this.#sequence, from: this.#from, to }, payload));
    this.#sequence += 1;
    this.#from = to;
  }

  #write(bytes: Uint8Array): void {
    this.#sink(bytes);
    this.#bytes += bytes.length;
  }
}

/**
 * A trace that was opened: what its whole chunks hold. Where `damage` isn't null, that is what comes
 * before the damage.
 */
export class Trace {
  readonly #source: TraceSource;
  readonly #index: TraceIndex;
  /** The chunk that was decoded last, since seeking around a place reads it again and again. */
  #decoded: { readonly chunk: number; readonly events: readonly BodyEvent[] } | null = null;

  /** @param index of this source, from `scanTrace`. */
  constructor(source: TraceSource, index: TraceIndex) {
    this.#source = source;
    this.#index = index;
  }

  get formatVersion(): number {
    return this.#index.formatVersion;
  }

  get header(): TraceHeader {
    return this.#index.header;
  }

  /** The trace has its end. False where the recorder was killed, or where damage hides the end. */
  get isComplete(): boolean {
    return this.#index.end !== null;
  }

  /**
   * The first thing wrong with the file; null for a trace that ends between two chunks, with or
   * without its end chunk.
   */
  get damage(): TraceDamage | null {
    return this.#index.damage;
  }

  /**
   * How far the trace can be replayed: every event before this instant is there. Of a whole trace, where
   * the run ended.
   */
  get lastInstant(): Instant {
    return this.#index.lastInstant;
  }

  /** How the run ended; null for a trace that isn't complete. */
  get end(): EndEvent | null {
    return this.#index.end;
  }

  /** How many events of each kind there are, without the end. */
  get counts(): Readonly<EventCounts> {
    return this.#index.counts;
  }

  /** The checkpoint that the trace starts with; null where it starts with its images loaded. */
  get start(): CheckpointRecord | null {
    return this.#index.start;
  }

  /** The instant at which the trace starts: 0, or that of its first state. */
  get firstInstant(): Instant {
    return this.start?.at ?? 0;
  }

  /** The checkpoints on the way, in the order of time. */
  get checkpoints(): readonly CheckpointPlace[] {
    return this.#index.checkpoints;
  }

  /** Reads a checkpoint by its place in `checkpoints`. Its chunks are whole; what is in them may not be. */
  checkpoint(place: number): Checked<CheckpointRecord> {
    const { frames } = this.#index.checkpoints[place];
    try {
      return { isWhole: true, value: readCheckpoint(this.#source, frames) };
    } catch (error) {
      const { sequence, offset } = frames[frames.length - 1];
      return { isWhole: false, damage: damageIn(error, sequence, offset + FRAME_BYTES, true) };
    }
  }

  /** Bytes of the file, and those of them that are whole, from its start. */
  get byteLength(): number {
    return this.#source.byteLength;
  }
  get wholeBytes(): number {
    return this.#index.wholeBytes;
  }

  /** All events in order, decoded chunk by chunk as they are asked for; the end event is the last. */
  get events(): Iterable<TraceEvent> {
    return this.eventsFrom(0);
  }

  /** The same by their number, for those who go to and fro; a bounded part of them is in memory. */
  get eventList(): EventList {
    const { eventCounts, end } = this.#index;
    return new ChunkedEvents(eventCounts, (chunk) => this.#decode(chunk), end);
  }

  /** The events from an instant on, those at the instant included. Reads no chunk before it. */
  eventsFrom(at: Instant): Iterable<TraceEvent> {
    return { [Symbol.iterator]: () => this.#iterate(at) };
  }

  /**
   * The bytes of an image, by its place in the header; not to be changed.
   * @throws Error for one that is outside of the trace.
   */
  image(place: number): Checked<Uint8Array> {
    const { images } = this.header;
    if (!(place in images) || images[place].outside !== undefined) {
      throw new Error(`no image ${place} in the trace`);
    }
    const chunk = images.slice(0, place).filter(({ outside }) => outside === undefined).length;
    if (!(chunk in this.#index.images)) {
      // The scan stopped before this image, and damage says where.
      return { isWhole: false, damage: this.damage! };
    }
    const frame = this.#index.images[chunk];
    const base = frame.offset + FRAME_BYTES;
    const stored = this.#source.read(base, frame.storedBytes);
    try {
      return { isWhole: true, value: unpackPayload(frame, stored) };
    } catch (error) {
      return { isWhole: false, damage: damageIn(error, frame.sequence, base, false) };
    }
  }

  *#iterate(at: Instant): Generator<TraceEvent, void> {
    const chunks = this.#index.events;
    for (let chunk = this.#firstChunkTo(at); chunk < chunks.length; chunk++) {
      for (const event of this.#decode(chunk)) if (event.at >= at) yield event;
    }
    if (this.end !== null && this.end.at >= at) yield this.end;
  }

  /** The first chunk that may hold events at or after an instant. */
  #firstChunkTo(at: Instant): number {
    const chunks = this.#index.events;
    let least = 0;
    for (let most = chunks.length; least < most; ) {
      const middle = (least + most) >>> 1;
      if (chunks[middle].to < at) least = middle + 1;
      else most = middle;
    }
    return least;
  }

  #decode(chunk: number): readonly BodyEvent[] {
    if (this.#decoded?.chunk === chunk) return this.#decoded.events;
    const frame = this.#index.events[chunk];
    const stored = this.#source.read(frame.offset + FRAME_BYTES, frame.storedBytes);
    const events = decodeEvents(unpackPayload(frame, stored), frame.from, frame.to);
    this.#decoded = { chunk, events };
    return events;
  }
}

/** A trace that lies in memory as a whole. The bytes must not change while it is read. */
export function bytesSource(bytes: Uint8Array): TraceSource {
  const file = plain(bytes);
  return {
    byteLength: file.length,
    read: (offset, length) => file.subarray(offset, offset + length),
  };
}

/** Opens and checks a trace. Throws nothing, whatever the bytes are. */
export function openTrace(source: TraceSource): Checked<Trace> {
  const scan = scanTrace(source);
  return scan.isWhole ? { isWhole: true, value: new Trace(source, scan.value) } : scan;
}

/**
 * Opens a trace that lies in memory. Whether it is complete or damaged, the trace says.
 * @throws UserError where not even its header can be read.
 */
export function readTrace(bytes: Uint8Array): Trace {
  const opened = openTrace(bytesSource(bytes));
  if (opened.isWhole) return opened.value;
  const { damage } = opened;
  if (damage.kind === 'foreign')
    throw new UserError('not a holdoff trace; name a file that holdoff record wrote');
  const what = damage.kind === 'unsupported' ? 'cannot be read' : 'is damaged from its start';
  throw new UserError(`the trace ${what}: ${describeDamage(damage)}`);
}
