/** Traces that name images and do not hold them: what the header says, and what becomes of damage to it. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CHUNK_EVENTS,
  CHUNK_HEADER,
  CHUNK_IMAGE,
  encodeChunk,
  encodePrelude,
} from '../../src/replay/chunk-frame.js';
import { packValue } from '../../src/replay/msgpack.js';
import {
  bytesSource,
  openTrace,
  type Trace,
  type TraceStart,
} from '../../src/replay/trace-format.js';
import { END, EVENTS, open, START, traceOf, whole } from './trace-samples.js';

const KERNEL = START.images[0].bytes;
const INITRD = START.images[1].bytes;
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** The sample's start with one of its images outside, or both. */
function outside(...places: number[]): TraceStart {
  const images = START.images.map((image, place) =>
    places.includes(place) ? { ...image, outsidePath: `boot/${image.name}` } : image,
  );
  return { ...START, images };
}

/** A trace of a version whose header has this in the place of its images. */
function withImages(version: number, images: unknown, ...chunks: Uint8Array[]): Uint8Array {
  const machine = { memoryBytes: 1 << 20, clock: 'virtual', seed: 1, cmdline: null };
  const header = packValue({ holdoff: '0.1.0', machine, images, loadAddress: null });
  const first = encodeChunk({ type: CHUNK_HEADER, sequence: 0, from: 0, to: 0 }, header);
  return new Uint8Array(Buffer.concat([encodePrelude(version), first, ...chunks]));
}

const noEvents = encodeChunk({ type: CHUNK_EVENTS, sequence: 1, from: 0, to: 9 }, packValue([]));

describe('a trace whose images are outside', () => {
  test('says of each its name, role, size, path and SHA-256, and holds no byte of it', () => {
    const bytes = traceOf([...EVENTS, END], outside(0, 1));
    const trace = open(bytes);
    expect(trace.formatVersion).toBe(4);
    expect(trace.header.images).toEqual([
      {
        name: 'kernel.elf',
        role: 'kernel',
        byteLength: 300,
        outside: { path: 'boot/kernel.elf', sha256: sha256(KERNEL).toString('hex') },
      },
      {
        name: 'initrd.gz',
        role: 'initrd',
        byteLength: 3,
        outside: { path: 'boot/initrd.gz', sha256: sha256(INITRD).toString('hex') },
      },
    ]);
    expect([trace.damage, trace.isComplete]).toEqual([null, true]);
    expect([...trace.events]).toEqual([...EVENTS, END]);
    expect(Buffer.from(bytes).includes(Buffer.from(INITRD))).toBe(false);
    expect(() => trace.image(0)).toThrow('no image 0 in the trace');
  });

  test.each([
    [0, 1, INITRD],
    [1, 0, KERNEL],
  ])('may have image %i outside and image %i inside', (there, here, bytes) => {
    const trace = open(traceOf([...EVENTS, END], outside(there)));
    expect(trace.damage).toBeNull();
    expect(whole(trace.image(here))).toEqual(bytes);
    expect(() => trace.image(there)).toThrow();
  });

  test('that was cut before the image that is inside says so', () => {
    const bytes = traceOf([], outside(0));
    const opened = open(bytes.subarray(0, bytes.length - 1));
    expect(opened.damage).toMatchObject({ kind: 'cut' });
    expect(opened.image(1).isWhole).toBe(false);
  });

  test('is refused where it holds the image nevertheless', () => {
    const entry = ['k', 'kernel', 3, sha256(INITRD), 'k'];
    const image = encodeChunk({ type: CHUNK_IMAGE, sequence: 1, from: 0, to: 0 }, INITRD);
    const trace = open(withImages(4, [entry], image));
    expect(trace.damage).toMatchObject({ kind: 'corrupt', expected: 'no image' });
  });

  test('is one of version 4; one with all images inside is what it was', () => {
    expect(open(traceOf([], START)).formatVersion).toBe(1);
    const before = [['k', 'kernel', 3, sha256(INITRD), 'k']];
    // What an older version leaves alone has no meaning in it: the image is inside, and missing here.
    const trace = open(withImages(1, before));
    expect(trace.header.images).toEqual([{ name: 'k', role: 'kernel', byteLength: 3 }]);
    expect(trace.damage).toMatchObject({ kind: 'cut', expected: 'image "k"' });
  });

  test.each<[string, unknown[], string]>([
    ['a hash that is text', ['k', 'kernel', 3, 'ab'.repeat(32), 'k'], 'the SHA-256 of an image'],
    ['a hash of 31 bytes', ['k', 'kernel', 3, Buffer.alloc(31), 'k'], 'the SHA-256 of an image'],
    ['no hash', ['k', 'kernel', 3, null, 'k'], 'the SHA-256 of an image'],
    ['no path', ['k', 'kernel', 3, Buffer.alloc(32)], 'the path of an image'],
    ['a path that is a number', ['k', 'kernel', 3, Buffer.alloc(32), 7], 'the path of an image'],
    [
      'more than 1 GiB',
      ['k', 'kernel', 2 ** 30 + 1, Buffer.alloc(32), 'k'],
      'the bytes of an image',
    ],
  ])('with %s in its header is refused', (_, entry, what) => {
    const opened = openTrace(bytesSource(withImages(4, [entry], noEvents)));
    expect(opened.isWhole).toBe(false);
    if (opened.isWhole) return;
    expect(opened.damage.kind).toBe('corrupt');
    expect(opened.damage.expected).toContain(what);
  });

  test('with anything in the place of its images throws nothing', () => {
    const element = fc.oneof(
      fc.constantFrom('kernel', 'initrd', 'k', 3, null),
      fc.nat(),
      fc.uint8Array({ minLength: 30, maxLength: 34 }).map((bytes) => Buffer.from(bytes)),
      fc.string(),
    );
    const images = fc.array(fc.array(element, { maxLength: 7 }), { maxLength: 4 });
    fc.assert(
      fc.property(images, (given) => {
        const opened = openTrace(bytesSource(withImages(4, given, noEvents)));
        if (opened.isWhole) expect(readAll(opened.value)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });
});

/** How many events there are, once all that a trace gives has been read. */
function readAll(trace: Trace): number {
  trace.header.images.forEach(({ outside: isOutside }, place) => {
    if (isOutside === undefined) trace.image(place);
  });
  return [...trace.events].length;
}
