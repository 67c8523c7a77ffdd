/**
 * The first reading of a trace: every chunk in turn, checked to the last byte, up to the end or to the
 * first damage. It leaves an index, by which events and images can be read without any doubt later.
 */
import { CheckpointDecoder } from './checkpoint-codec.js';
import type { CheckpointRecord } from './checkpoint-record.js';
import {
  AT_FROM,
  AT_TO,
  AT_TYPE,
  AT_UNPACKED_BYTES,
  CHUNK_CHECKPOINT,
  CHUNK_END,
  CHUNK_EVENTS,
  CHUNK_HEADER,
  CHUNK_IMAGE,
  CHUNK_PAGES,
  CHUNK_START,
  type ChunkFrame,
  checkPayload,
  checkPrelude,
  decodeFrame,
  FRAME_BYTES,
  PRELUDE_BYTES,
  unpackPayload,
} from './chunk-frame.js';
import { COUNTED_KINDS, type EndEvent, type EventCounts, noEvents } from './event.js';
import { decodeEvents } from './event-codec.js';
import type { Instant } from './instant.js';
import { type Checked, Malformed, type TraceDamage } from './trace-damage.js';
import { decodeEnd } from './trace-end.js';
import { decodeHeader, type ImageEntry, type TraceHeader } from './trace-header.js';

/** The bytes of a trace, wherever they are. */
export interface TraceSource {
  readonly byteLength: number;
  /** Bytes that lie within the source. The caller doesn't change them. */
  read(offset: number, length: number): Uint8Array;
}

/** A checkpoint on the way that was not read yet. */
export interface CheckpointPlace {
  readonly at: Instant;
  /** How many events of the trace lie before it. */
  readonly events: number;
  /** The chunks that it is made of. */
  readonly frames: readonly ChunkFrame[];
}

/** What the first reading found. */
export interface TraceIndex {
  readonly formatVersion: number;
  readonly header: TraceHeader;
  /**
   * Chunks of the images that are inside, in the order of the header; fewer where the trace was cut before
   * its events.
   */
  readonly images: readonly ChunkFrame[];
  /** The checkpoint that the trace starts with; null where it starts with the loaded images. */
  readonly start: CheckpointRecord | null;
  /** Those on the way, in the order of time. */
  readonly checkpoints: readonly CheckpointPlace[];
  /** Chunks of events, each starting where the one before it ends. */
  readonly events: readonly ChunkFrame[];
  /** How many events each of them holds. */
  readonly eventCounts: readonly number[];
  readonly end: EndEvent | null;
  readonly counts: EventCounts;
  /** How far the whole chunks reach, in time and in bytes. */
  readonly lastInstant: Instant;
  readonly wholeBytes: number;
  readonly damage: TraceDamage | null;
}

/** Reads a trace from its first byte on. Fails only where not even the header is whole. */
export function scanTrace(source: TraceSource): Checked<TraceIndex> {
  const prelude = checkPrelude(source.read(0, Math.min(PRELUDE_BYTES, source.byteLength)));
  if (!prelude.isWhole) return prelude;
  const scan = new Scan(source, prelude.value);
  const damage = scan.run();
  const { header, images, start, checkpoints, events, eventCounts } = scan;
  const { end, counts, lastInstant } = scan;
  if (header === null) {
    return { isWhole: false, damage: damage ?? scan.missing('the header of the trace') };
  }
  const formatVersion = prelude.value;
  const found = { images, start, checkpoints, events, eventCounts, end, counts, lastInstant };
  const rest = { ...found, wholeBytes: scan.offset, damage };
  return { isWhole: true, value: { formatVersion, header, ...rest } };
}

class Scan {
  header: TraceHeader | null = null;
  readonly images: ChunkFrame[] = [];
  start: CheckpointRecord | null = null;
  readonly checkpoints: CheckpointPlace[] = [];
  readonly events: ChunkFrame[] = [];
  readonly eventCounts: number[] = [];
  end: EndEvent | null = null;
  readonly counts = noEvents();
  lastInstant: Instant = 0;
  /** Where the next chunk starts: all before it is whole. */
  offset = PRELUDE_BYTES;
  readonly #source: TraceSource;
  readonly #version: number;
  #sequence = 0;
  #eventCount = 0;
  /** Chunks of pages whose checkpoint has not come yet. */
  #pages: ChunkFrame[] = [];

  /** @param version of the trace's format. */
  constructor(source: TraceSource, version: number) {
    this.#source = source;
    this.#version = version;
  }

  /** Takes chunks until none is left. The damage that stopped it, if any did. */
  run(): TraceDamage | null {
    const { byteLength } = this.#source;
    while (this.offset < byteLength) {
      const damage = this.#chunk(byteLength - this.offset);
      if (damage !== null) return damage;
    }
    const image = this.#nextImage();
    return image === undefined ? null : this.missing(`image ${JSON.stringify(image.name)}`);
  }

  /** The image whose chunk is to come next; undefined behind the last. */
  #nextImage(): ImageEntry | undefined {
    const inside = this.header?.images.filter(({ outside }) => outside === undefined);
    return inside?.[this.images.length];
  }

  /** The file ends where a chunk should be. */
  missing(what: string): TraceDamage {
    const place = { offset: this.offset, chunk: this.#sequence };
    return { kind: 'cut', ...place, expected: what, found: 'the end of the file' };
  }

  #chunk(left: number): TraceDamage | null {
    let base = this.offset;
    let isUnpacked = false;
    try {
      if (this.end !== null) {
        throw new Malformed(0, 'the end of the file after the last chunk', `${left} more bytes`);
      }
      expectBytes(0, 'the frame of a chunk', FRAME_BYTES, left);
      const frame = decodeFrame(this.#source.read(base, FRAME_BYTES), base, this.#sequence);
      this.#expectPlace(frame);
      expectBytes(FRAME_BYTES, 'payload', frame.storedBytes, left - FRAME_BYTES);
      base += FRAME_BYTES;
      const stored = this.#source.read(base, frame.storedBytes);
      checkPayload(frame, stored);
      if (frame.type === CHUNK_IMAGE) {
        this.images.push(frame);
      } else if (frame.type === CHUNK_PAGES) {
        this.#pages.push(frame);
      } else if (frame.type === CHUNK_CHECKPOINT) {
        const frames = [...this.#pages, frame];
        this.checkpoints.push({ at: frame.to, events: this.#eventCount, frames });
        this.#pages = [];
      } else if (frame.type === CHUNK_START) {
        isUnpacked = frame.isDeflated;
        this.start = readCheckpoint(this.#source, [...this.#pages, frame]);
        this.#pages = [];
      } else if (frame.type % 2 === 0) {
        const payload = unpackPayload(frame, stored);
        isUnpacked = frame.isDeflated;
        this.#take(frame, payload);
      }
      this.lastInstant = frame.to;
      this.offset = base + frame.storedBytes;
      this.#sequence += 1;
      return null;
    } catch (error) {
      return damageIn(error, this.#sequence, base, isUnpacked);
    }
  }

  /** A chunk of this type, of this length and for these instants may come here. */
  #expectPlace(frame: ChunkFrame): void {
    const image = this.#nextImage();
    const isHeader = frame.type === CHUNK_HEADER;
    if (isHeader !== (this.header === null)) {
      throw new Malformed(AT_TYPE, isHeader ? 'another chunk' : 'the header', `type ${frame.type}`);
    }
    if (frame.type === CHUNK_IMAGE && frame.unpackedBytes !== image?.byteLength) {
      const expected = image === undefined ? 'no image' : `an image of ${image.byteLength} bytes`;
      throw new Malformed(AT_UNPACKED_BYTES, expected, `one of ${frame.unpackedBytes} bytes`);
    }
    if ((frame.type === CHUNK_EVENTS || frame.type === CHUNK_END) && image !== undefined) {
      throw new Malformed(AT_TYPE, `image ${JSON.stringify(image.name)}`, `type ${frame.type}`);
    }
    this.#expectCheckpoint(frame, image !== undefined);
    if (frame.type % 2 === 0 && (frame.type < CHUNK_HEADER || frame.type > CHUNK_START)) {
      throw new Malformed(AT_TYPE, 'a known type of chunk', `type ${frame.type}`, 'unsupported');
    }
    if (frame.from !== this.lastInstant || frame.to < frame.from) {
      const expected = `a chunk from @${this.lastInstant} on`;
      throw new Malformed(AT_FROM, expected, `one from @${frame.from} to @${frame.to}`);
    }
  }

  /** Checkpoints come behind the images, pages before their checkpoint; neither takes time. */
  #expectCheckpoint({ type, from, to }: ChunkFrame, lacksImage: boolean): void {
    const isPart = type === CHUNK_PAGES || type === CHUNK_CHECKPOINT || type === CHUNK_START;
    if (!isPart) {
      if (this.#pages.length === 0) return;
      throw new Malformed(AT_TYPE, 'the rest of a checkpoint', `type ${type}`);
    }
    const isLate = this.events.length + this.checkpoints.length > 0 || this.start !== null;
    if (lacksImage || (type === CHUNK_START && isLate)) {
      throw new Malformed(AT_TYPE, 'no checkpoint here', `type ${type}`);
    }
    if (type !== CHUNK_START && from !== to) {
      throw new Malformed(AT_TO, `a checkpoint at @${from}`, `one to @${to}`);
    }
  }

  #take(frame: ChunkFrame, payload: Uint8Array): void {
    if (frame.type === CHUNK_HEADER) {
      this.header = decodeHeader(payload, this.#version);
    } else if (frame.type === CHUNK_EVENTS) {
      const events = decodeEvents(payload, frame.from, frame.to);
      for (const event of events) this.counts[event.kind] += 1;
      this.#eventCount += events.length;
      this.events.push(frame);
      this.eventCounts.push(events.length);
    } else {
      const [end, counts] = decodeEnd(payload, frame.to);
      for (const kind of COUNTED_KINDS) {
        if (counts[kind] === this.counts[kind]) continue;
        const expected = `a count of ${this.counts[kind]} ${kind} events`;
        throw new Malformed(0, expected, String(counts[kind]));
      }
      this.end = end;
    }
  }
}

/**
 * Reads the chunks of a checkpoint, whose checksums hold.
 * @throws Malformed
 */
export function readCheckpoint(
  source: TraceSource,
  frames: readonly ChunkFrame[],
): CheckpointRecord {
  const decoder = new CheckpointDecoder();
  const last = frames[frames.length - 1];
  const payloadOf = (frame: ChunkFrame): Uint8Array =>
    unpackPayload(frame, source.read(frame.offset + FRAME_BYTES, frame.storedBytes));
  for (const frame of frames.slice(0, -1)) decoder.addPages(payloadOf(frame));
  return decoder.finish(payloadOf(last), last.to);
}

function expectBytes(offset: number, what: string, bytes: number, left: number): void {
  if (bytes <= left) return;
  const found = `the end of the file after ${left}`;
  throw new Malformed(offset, `${bytes} bytes of ${what}`, found, 'cut');
}

/** What was thrown while decoding, as damage of the file. Rethrows what isn't Malformed: a bug. */
export function damageIn(
  error: unknown,
  chunk: number,
  base: number,
  isUnpacked: boolean,
): TraceDamage {
  if (!(error instanceof Malformed)) throw error;
  const { kind, offset, expected, found } = error;
  if (!isUnpacked) return { kind, offset: base + offset, chunk, expected, found };
  return { kind, offset: base, chunk, unpackedOffset: offset, expected, found };
}
