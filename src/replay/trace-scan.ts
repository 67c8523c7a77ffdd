/**
 * The first reading of a trace: every chunk in turn, checked to the last byte, up to the end or to the
 * first damage. It leaves an index, by which events and images can be read without any doubt later.
 */
import {
  CHUNK_END,
  CHUNK_EVENTS,
  CHUNK_HEADER,
  CHUNK_IMAGE,
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
import { decodeHeader, type TraceHeader } from './trace-header.js';

/** The bytes of a trace, wherever they are. */
export interface TraceSource {
  readonly byteLength: number;
  /** Bytes that lie within the source. The caller doesn't change them. */
  read(offset: number, length: number): Uint8Array;
}

/** What the first reading found. */
export interface TraceIndex {
  readonly formatVersion: number;
  readonly header: TraceHeader;
  /** Chunks of images, in the order of the header; fewer where the trace was cut before its events. */
  readonly images: readonly ChunkFrame[];
  /** Chunks of events, each starting where the one before it ends. */
  readonly events: readonly ChunkFrame[];
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
  const scan = new Scan(source);
  const damage = scan.run();
  const { header, images, events, end, counts, lastInstant, offset: wholeBytes } = scan;
  if (header === null) {
    return { isWhole: false, damage: damage ?? scan.missing('the header of the trace') };
  }
  const formatVersion = prelude.value;
  const rest = { images, events, end, counts, lastInstant, wholeBytes, damage };
  return { isWhole: true, value: { formatVersion, header, ...rest } };
}

class Scan {
  header: TraceHeader | null = null;
  readonly images: ChunkFrame[] = [];
  readonly events: ChunkFrame[] = [];
  end: EndEvent | null = null;
  readonly counts = noEvents();
  lastInstant: Instant = 0;
  /** Where the next chunk starts: all before it is whole. */
  offset = PRELUDE_BYTES;
  readonly #source: TraceSource;
  #sequence = 0;

  constructor(source: TraceSource) {
    this.#source = source;
  }

  /** Takes chunks until none is left. The damage that stopped it, if any did. */
  run(): TraceDamage | null {
    const { byteLength } = this.#source;
    while (this.offset < byteLength) {
      const damage = this.#chunk(byteLength - this.offset);
      if (damage !== null) return damage;
    }
    const image = this.header?.images[this.images.length];
    return image === undefined ? null : this.missing(`image ${JSON.stringify(image.name)}`);
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
    const image = this.header?.images[this.images.length];
    const isHeader = frame.type === CHUNK_HEADER;
    if (isHeader !== (this.header === null)) {
      throw new Malformed(5, isHeader ? 'another chunk' : 'the header', `type ${frame.type}`);
    }
    if (frame.type === CHUNK_IMAGE && frame.unpackedBytes !== image?.byteLength) {
      const expected = image === undefined ? 'no image' : `an image of ${image.byteLength} bytes`;
      throw new Malformed(11, expected, `one of ${frame.unpackedBytes} bytes`);
    }
    if ((frame.type === CHUNK_EVENTS || frame.type === CHUNK_END) && image !== undefined) {
      throw new Malformed(5, `image ${JSON.stringify(image.name)}`, `type ${frame.type}`);
    }
    if (frame.type % 2 === 0 && (frame.type < CHUNK_HEADER || frame.type > CHUNK_END)) {
      throw new Malformed(5, 'a known type of chunk', `type ${frame.type}`, 'unsupported');
    }
    if (frame.from !== this.lastInstant || frame.to < frame.from) {
      const expected = `a chunk from @${this.lastInstant} on`;
      throw new Malformed(15, expected, `one from @${frame.from} to @${frame.to}`);
    }
  }

  #take(frame: ChunkFrame, payload: Uint8Array): void {
    if (frame.type === CHUNK_HEADER) {
      this.header = decodeHeader(payload);
    } else if (frame.type === CHUNK_EVENTS) {
      for (const event of decodeEvents(payload, frame.from, frame.to)) this.counts[event.kind] += 1;
      this.events.push(frame);
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
