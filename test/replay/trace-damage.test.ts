/** What the reader says of traces that were cut, damaged or forged. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/machine/user-error.js';
import {
  CHUNK_END,
  CHUNK_EVENTS,
  CHUNK_HEADER,
  CHUNK_IMAGE,
  encodeChunk,
  encodePrelude,
  FRAME_BYTES,
  PRELUDE_BYTES,
} from '../../src/replay/chunk-frame.js';
import { packValue } from '../../src/replay/msgpack.js';
import { describeDamage, type TraceDamage } from '../../src/replay/trace-damage.js';
import {
  openTrace,
  readTrace,
  type Trace,
  type TraceSource,
} from '../../src/replay/trace-format.js';
import { encodeHeader } from '../../src/replay/trace-header.js';
import {
  chunkOffsets,
  END,
  EVENTS,
  examine,
  open,
  payloadAt,
  place,
  START,
  START_BARE,
  sampleTrace,
  traceOf,
} from './trace-samples.js';

const sample = sampleTrace();
const offsets = chunkOffsets(sample);
const all = [...EVENTS, END];
/** How many events the sample has before each of its chunks, and last altogether. */
const eventsBefore = [0, 0, 0, 0, 4, EVENTS.length, all.length];
/** The first chunk of events. */
const FIRST_EVENTS = 3;

describe('a trace that was cut', () => {
  test('at any byte keeps all of its whole chunks, and says where it ends', () => {
    for (let length = 0; length < sample.length; length++) {
      const { trace, damage } = examine(sample.subarray(0, length));
      const chunks = offsets.findIndex((offset) => offset > length) - 1;
      if (trace === null) {
        expect(chunks).toBeLessThan(1);
      } else {
        expect(trace.isComplete).toBe(false);
        expect([...trace.events]).toEqual(all.slice(0, eventsBefore[chunks]));
        expect(trace.wholeBytes).toBe(offsets[chunks]);
        expect(trace.lastInstant).toBe(
          eventsBefore[chunks] > 0 ? all[eventsBefore[chunks] - 1].at : 0,
        );
      }
      const isBetweenChunks = length === offsets[chunks] && chunks >= FIRST_EVENTS;
      if (isBetweenChunks) expect(damage).toBeNull();
      else expect(`${damage?.kind}: ${damage?.found}`).toMatch(/^cut: the end of the file/);
    }
  });

  test('before its images are there says which image is missing', () => {
    const trace = open(sample.subarray(0, offsets[2]));
    const damage = { kind: 'cut', offset: offsets[2], chunk: 2, expected: 'image "initrd.gz"' };
    expect(trace.damage).toMatchObject(damage);
    expect(trace.image(0).isWhole).toBe(true);
    expect(trace.image(1)).toMatchObject({ isWhole: false, damage });
  });
});

describe('a trace with a flipped bit', () => {
  test('anywhere is found out, in the chunk that it lies in, and read up to there', () => {
    const bytes = Uint8Array.from(sample);
    for (let at = 0; at < bytes.length; at++) {
      const chunk = offsets.findIndex((offset) => offset > at) - 1;
      for (let bit = 0; bit < 8; bit++) {
        bytes[at] ^= 1 << bit;
        const { trace, damage } = examine(bytes);
        expect(damage?.kind).toBe(at < 10 ? 'foreign' : 'corrupt');
        expect(damage?.chunk).toBe(chunk < 0 ? null : chunk);
        if (chunk > 0) {
          expect(trace?.wholeBytes).toBe(offsets[chunk]);
          expect([...(trace?.events ?? [])]).toEqual(all.slice(0, eventsBefore[chunk]));
        } else {
          expect(trace).toBeNull();
        }
        bytes[at] ^= 1 << bit;
      }
    }
    expect(bytes).toEqual(sample);
  });
});

describe('a trace with chunks that do not belong there', () => {
  const chunk = (index: number): Uint8Array => sample.subarray(offsets[index], offsets[index + 1]);
  const joined = (...parts: Uint8Array[]): Uint8Array =>
    new Uint8Array(Buffer.concat([sample.subarray(0, PRELUDE_BYTES), ...parts]));

  test.each<[string, Uint8Array, string]>([
    ['one left out', joined(chunk(0), chunk(1), chunk(2), chunk(4)), 'chunk number 3'],
    ['one twice', joined(chunk(0), chunk(1), chunk(2), chunk(3), chunk(3)), 'chunk number 4'],
    ['two swapped', joined(chunk(0), chunk(2), chunk(1)), 'chunk number 1'],
    ['something after the end', joined(sample.subarray(16), chunk(3)), 'the end of the file'],
    ['bytes after the end', joined(sample.subarray(16), Uint8Array.of(0)), 'the end of the file'],
  ])('%s', (_, bytes, expected) => {
    const { damage } = examine(bytes);
    expect(damage?.kind).toBe('corrupt');
    expect(damage?.expected).toContain(expected);
  });
});

describe('random bytes', () => {
  const anyBytes = fc.uint8Array({ maxLength: 400, size: 'max' });

  test('are damage, whatever they are', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(examine(bytes).damage).not.toBeNull();
        expect(() => readTrace(bytes)).toThrow(UserError);
      }),
      { numRuns: 1000 },
    );
  });

  test('behind a good beginning are damage', () => {
    fc.assert(
      fc.property(fc.nat(offsets.length - 2), anyBytes, (chunk, bytes) => {
        fc.pre(bytes.length > 0);
        const start = sample.subarray(0, offsets[chunk]);
        expect(examine(new Uint8Array(Buffer.concat([start, bytes]))).damage).not.toBeNull();
      }),
      { numRuns: 1000 },
    );
  });

  test('as the payload of a chunk with right checksums never throw', () => {
    const type = fc.constantFrom(CHUNK_HEADER, CHUNK_IMAGE, CHUNK_EVENTS, CHUNK_END, 3, 10);
    fc.assert(
      fc.property(fc.array(fc.tuple(type, anyBytes)), (chunks) => drain(forged(chunks))),
      { numRuns: 2000 },
    );
  });

  test('as MessagePack values in a chunk with right checksums never throw', () => {
    const type = fc.constantFrom(CHUNK_HEADER, CHUNK_EVENTS, CHUNK_END);
    const number = fc.oneof(fc.nat(127), fc.nat(127), fc.integer(), fc.double());
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        number,
        fc.string(),
        fc.uint8Array(),
        fc.constantFrom(null, true),
        fc.array(tie('value')),
        fc.dictionary(fc.constantFrom('holdoff', 'machine', 'images', 'x'), tie('value')),
      ),
    }));
    const values = fc.oneof(fc.array(number), fc.array(value), value).map((v) => packValue(v));
    fc.assert(
      fc.property(fc.array(fc.tuple(type, values)), (chunks) => drain(forged(chunks))),
      { numRuns: 3000 },
    );
  });

  /** A trace with a good header and then these payloads. */
  function forged(payloads: (readonly [number, Uint8Array])[]): Uint8Array {
    const header = encodeChunk(place(CHUNK_HEADER, 0), encodeHeader(START_BARE));
    const chunks = payloads.map(([type, payload], i) => encodeChunk(place(type, i + 1), payload));
    return new Uint8Array(Buffer.concat([encodePrelude(), header, ...chunks]));
  }

  /** Reads all that can be read. */
  function drain(bytes: Uint8Array): void {
    const { trace } = examine(bytes);
    if (trace === null) return;
    expect([...trace.events].length).toBeGreaterThanOrEqual(0);
    trace.header.images.forEach((_, i) => trace.image(i));
  }
});

describe('a hostile trace', () => {
  /** Changes bytes of a frame of the sample, and makes its checksum right again. */
  function withFrame(chunk: number, change: (frame: DataView) => void): Uint8Array {
    const bytes = Uint8Array.from(sample);
    const frame = bytes.subarray(offsets[chunk], offsets[chunk] + FRAME_BYTES);
    const view = new DataView(frame.buffer, frame.byteOffset, FRAME_BYTES);
    change(view);
    view.setUint32(35, crc32(frame.subarray(0, 35)));
    return bytes;
  }

  /** A source that keeps the longest read it was asked for. */
  class Watched implements TraceSource {
    longest = 0;
    readonly byteLength: number;
    readonly #bytes: Uint8Array;
    constructor(bytes: Uint8Array) {
      this.#bytes = bytes;
      this.byteLength = bytes.length;
    }
    read(offset: number, length: number): Uint8Array {
      this.longest = Math.max(this.longest, length);
      return this.#bytes.subarray(offset, offset + length);
    }
  }

  test('that states a length of 4 GB has nothing read or allocated for it', () => {
    const source = new Watched(
      withFrame(3, (frame) => {
        frame.setUint32(1, 0xffffffff);
        frame.setUint8(10, 1);
      }),
    );
    const opened = openTrace(source);
    const damage = opened.isWhole ? opened.value.damage : opened.damage;
    expect(damage).toMatchObject({ kind: 'cut', expected: '4294967262 bytes of payload' });
    expect(source.longest).toBeLessThan(sample.length);
  });

  test.each<[string, (frame: DataView) => void, Partial<TraceDamage>]>([
    ['a length below its frame', (frame) => frame.setUint32(1, 32), { offset: offsets[3] + 1 }],
    ['another codec', (frame) => frame.setUint8(10, 2), { kind: 'unsupported' }],
    [
      '4 GB unpacked',
      (frame) => frame.setUint32(11, 0xffffffff),
      { expected: 'at most 1048576 bytes unpacked' },
    ],
    ['a start in the past', (frame) => frame.setUint32(19, 1), { offset: offsets[3] + 15 }],
    [
      'an instant of 2^53',
      (frame) => frame.setUint32(23, 1 << 21),
      { expected: 'an instant below 2^53' },
    ],
    ['another first byte', (frame) => frame.setUint8(0, 0xc8), { expected: 'a chunk (c9)' }],
    [
      'an event after its end',
      (frame) => frame.setUint32(27, 99_999),
      { expected: 'an instant from @12 to @99999' },
    ],
    ['an even type that is not known', (frame) => frame.setUint8(5, 12), { kind: 'unsupported' }],
    ['a second header', (frame) => frame.setUint8(5, CHUNK_HEADER), { expected: 'another chunk' }],
    ['a third image', (frame) => frame.setUint8(5, CHUNK_IMAGE), { expected: 'no image' }],
  ])('that states %s is refused', (_, change, damage) => {
    expect(examine(withFrame(3, change)).damage).toMatchObject({ chunk: 3, ...damage });
  });

  test('whose image unpacks to more than it says is refused', () => {
    const image = encodeChunk(place(CHUNK_IMAGE, 1), new Uint8Array(50_000_000));
    expect(image.length).toBeLessThan(1_000_000);
    const view = new DataView(image.buffer);
    view.setUint32(11, 300);
    view.setUint32(35, crc32(image.subarray(0, 35)));
    const trace = open(new Uint8Array(Buffer.concat([sample.subarray(0, offsets[1]), image])));
    expect(trace.image(0)).toMatchObject({
      isWhole: false,
      damage: {
        kind: 'corrupt',
        chunk: 1,
        expected: 'deflate data that unpacks to 300 bytes',
        // The inflater gave up there: it did not unpack all of it to see how much it is.
        found: 'Cannot create a Buffer larger than 300 bytes',
      },
    });
  });

  test('whose image unpacks to less than it says is refused', () => {
    const image = encodeChunk(place(CHUNK_IMAGE, 1), new Uint8Array(299));
    const view = new DataView(image.buffer);
    view.setUint32(11, 300);
    view.setUint32(35, crc32(image.subarray(0, 35)));
    const trace = open(new Uint8Array(Buffer.concat([sample.subarray(0, offsets[1]), image])));
    expect(trace.image(0)).toMatchObject({ isWhole: false, damage: { found: '299 bytes' } });
  });

  test('whose end counts other events than there are is refused', () => {
    const whole = traceOf([{ kind: 'nmi', at: 1 }, END]);
    const payload = Uint8Array.from(payloadAt(whole, 2));
    payload[payload.length - 6] = 2;
    const end = encodeChunk({ type: CHUNK_END, sequence: 2, from: 1, to: END.at }, payload);
    const { damage } = examine(
      new Uint8Array(Buffer.concat([whole.subarray(0, chunkOffsets(whole)[2]), end])),
    );
    expect(damage).toMatchObject({
      kind: 'corrupt',
      expected: 'a count of 1 nmi events',
      found: '2',
    });
  });
});

describe('a trace of a newer holdoff', () => {
  test('with another format version is refused in a clear line', () => {
    const bytes = Uint8Array.from(sample);
    const view = new DataView(bytes.buffer);
    view.setUint16(10, 5);
    view.setUint32(12, crc32(bytes.subarray(0, 12)));
    expect(() => readTrace(bytes)).toThrow(
      new UserError(
        'the trace cannot be read: byte 10: expected trace format version 1 to 4, found version 5; a newer holdoff wrote it, use that one',
      ),
    );
  });

  /** The header, then chunks with these payloads. */
  function newer(...chunks: (readonly [type: number, values: unknown])[]): Trace {
    const parts = chunks.map(([type, values], i) =>
      encodeChunk({ type, sequence: i + 1, from: 0, to: 0 }, packValue(values)),
    );
    return open(new Uint8Array(Buffer.concat([traceOf([]), ...parts])));
  }
  const NMI = (6 << 3) | 1;
  const nmi = { kind: 'nmi', at: 0 };

  test('has its unknown events of odd kinds skipped', () => {
    const trace = newer([CHUNK_EVENTS, [NMI, [17, 5, 'what', [1]], NMI, [2 ** 20 + 1]]]);
    expect([...trace.events]).toEqual([nmi, nmi]);
    expect(trace.damage).toBeNull();
  });

  test.each<[string, unknown]>([
    ['an unknown event of an even kind', [18, 5]],
    ['an unknown event that has no array', 18 << 3],
    ['an unknown flag of a known event', (6 << 3) | 4],
  ])('is read up to %s', (_, event) => {
    const trace = newer([CHUNK_EVENTS, [NMI]], [CHUNK_EVENTS, [NMI, event, NMI]]);
    expect([...trace.events]).toEqual([nmi]);
    expect(trace.damage).toMatchObject({ kind: 'unsupported', chunk: 2 });
    expect(describeDamage(trace.damage!)).toMatch(/; a newer holdoff wrote it, use that one$/);
  });

  test('has its unknown chunks of odd types skipped', () => {
    const trace = newer([CHUNK_EVENTS, [NMI]], [5, 'what'], [CHUNK_EVENTS, [NMI]]);
    expect([...trace.events]).toEqual([nmi, nmi]);
    expect(trace.damage).toBeNull();
  });

  test('is refused where it names a clock that is not known', () => {
    const machine = { ...START.machine, clock: 'lunar' as 'host' };
    const bytes = traceOf([], { ...START_BARE, machine });
    expect(examine(bytes).damage).toMatchObject({ kind: 'unsupported', found: '"lunar"' });
  });
});
