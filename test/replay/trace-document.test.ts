/** docs/trace-format.md against the real writer. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BodyEvent } from '../../src/replay/event.js';
import { EventEncoder } from '../../src/replay/event-codec.js';
import { ValueWriter } from '../../src/replay/value-writer.js';
import { EXAMPLE_EVENTS, EXAMPLE_START, open, traceOf, whole } from './trace-samples.js';

const text = readFileSync(new URL('../../docs/trace-format.md', import.meta.url), 'utf8');

/** The rows `offset  bytes   meaning` of the example. */
const rows = [
  ...text.matchAll(/^([\da-f]{4}) {2}((?:[\da-f]{2} )*[\da-f]{2})(?: {2,}(.*))?$/gm),
].map(([, offset, bytes, meaning]) => ({
  offset: Number.parseInt(offset, 16),
  bytes: [...Buffer.from(bytes.replaceAll(' ', ''), 'hex')],
  meaning,
}));

describe('the example of docs/trace-format.md', () => {
  test('is what the writer writes, byte for byte', () => {
    expect(rows.flatMap(({ bytes }) => bytes)).toEqual([...traceOf(EXAMPLE_EVENTS, EXAMPLE_START)]);
  });

  test('numbers its bytes right, and says what each row means', () => {
    let at = 0;
    for (const { offset, bytes, meaning } of rows) {
      expect(offset).toBe(at);
      expect(meaning).toBeTruthy();
      at += bytes.length;
    }
  });

  test('reads back as the trace that it stands for', () => {
    const trace = open(Uint8Array.from(rows.flatMap(({ bytes }) => bytes)));
    expect(trace.damage).toBeNull();
    expect([...trace.events]).toEqual(EXAMPLE_EVENTS);
    expect(whole(trace.image(0))).toEqual(EXAMPLE_START.images[0].bytes);
  });
});

describe('the costs in docs/trace-format.md', () => {
  const KERNEL = 0xc0100000 | 0;
  const tick = (at: number): BodyEvent => ({ kind: 'irq', at, line: 0, isInput: true });
  const accept = (at: number, eip: number): BodyEvent => {
    return { kind: 'accept', at, vector: 32, line: 0, cpl: 0, eip, shadow: 0 };
  };
  const clock = (at: number, source: 'tsc' | 'pit', value: number): BodyEvent => {
    return { kind: 'clock', at, source, value };
  };
  const shim = (at: number, site: number): BodyEvent => {
    return { kind: 'shim', at, call: 12, site, args: [5], result: 1 };
  };
  /** Two calls by turns, 40 steps apart, and a last one at another distance. */
  const foretold = (distance: number): BodyEvent[] =>
    [0, 40, 80, 120, 120 + distance].map((at, i) => shim(at, KERNEL + (i % 2) * 100));
  const ticks = [tick(100_000), tick(200_000)];
  const taken = [tick(100_000), accept(100_000, KERNEL)];

  /** The event of each row: what came before it, then the event itself. */
  const cases: Record<string, readonly BodyEvent[]> = {
    'timer raised, 100,000 steps after the last, first or second in its chunk': [tick(100_000)],
    'timer raised, off its period by 10 steps': [...ticks, tick(300_010)],
    'timer raised, off its period by 10,000 steps': [...ticks, tick(290_000)],
    'accepted at once, within 32 KiB of the last EIP': [...taken, accept(100_000, KERNEL + 30_000)],
    'accepted 40 steps later, within 32 KiB of the last EIP': [
      ...taken,
      accept(100_040, KERNEL - 30_000),
    ],
    'accepted at once, far from the last EIP': [...taken, accept(100_000, 0x8048000)],
    'accepted at once, first of its line in the chunk': taken,
    'device raised line 4, 1,000 steps after the event before': [
      { kind: 'irq', at: 1000, line: 4, isInput: false },
    ],
    'TSC read, 1,000 steps and 2,000 cycles after the last': [
      clock(0, 'tsc', 9e9),
      clock(1000, 'tsc', 9e9 + 2000),
    ],
    'PIT read, 1,000 steps and 12 ticks after the last': [
      clock(0, 'pit', 9e6),
      clock(1000, 'pit', 9e6 + 12),
    ],
    'serial byte, 1,000 steps after the event before': [{ kind: 'serial', at: 1000, byte: 0x41 }],
    'NMI, 100,000 steps after the event before': [{ kind: 'nmi', at: 100_000 }],
    'exception with error code, at once': [
      { kind: 'exception', at: 0, vector: 13, errorCode: 0x10 },
    ],
    'VMI call with one small argument and a result, 1,000 steps and 100 bytes after the last': [
      shim(0, KERNEL),
      shim(1000, KERNEL + 100),
    ],
    'VMI call, foretold, at another distance than then, below 128 steps': foretold(100),
    'VMI call, foretold and punctual': foretold(40),
    'digest (SHA-256), 1,000,000 steps after the event before': [
      { kind: 'digest', at: 1_000_000, digest: 'ab'.repeat(32) },
    ],
  };
  const costs = [...text.matchAll(/^\| (.+?) \| (\d+) \|$/gm)].map(
    ([, event, bytes]) => [event, Number(bytes)] as const,
  );

  test('name every case once', () => {
    expect(costs.map(([event]) => event)).toEqual(Object.keys(cases));
  });

  test.each(costs)('%s: %i bytes', (name, bytes) => {
    const encoder = new EventEncoder(0);
    const last = new ValueWriter();
    for (const event of cases[name]) {
      last.cutTo(0, 0);
      encoder.encode(event, last);
    }
    expect(last.byteLength).toBe(bytes);
  });

  /** Numbers below `most` that look random and are the same each time. */
  function sequence(): (most: number) => number {
    let seed = 12345;
    return (most) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % most;
    };
  }

  type Pick = (most: number) => number;
  const usually = (pick: Pick): number => (pick(4) === 0 ? pick(40) : 0);
  /** Of each row: steps to the next timer interrupt, steps until it is taken, and EIP then. */
  const timers: readonly [
    (pick: Pick) => number,
    (pick: Pick) => number,
    (pick: Pick) => number,
  ][] = [
    [() => 100_000, () => 0, (pick) => 0x8048100 + pick(8) * 4],
    [(pick) => 100_000 + pick(12), usually, (pick) => 0x8048100 + pick(64) * 3],
    [(pick) => 80_000 + pick(40_000), usually, (pick) => KERNEL + pick(1 << 16)],
    [(pick) => pick(200_000), usually, (pick) => KERNEL + pick(1 << 20)],
  ];
  const sizes = [...text.matchAll(/^\| .+? \| (\d+\.\d) \| (\d+\.\d) \|$/gm)].map(
    ([, raw, file], i) => [i, Number(raw), Number(file)] as const,
  );

  test('cover every synthetic recording', () => {
    expect(sizes.length).toBe(timers.length);
  });

  test.each(sizes)('of synthetic recording %i: %f bytes raw, %f in the file', (i, raw, file) => {
    const pick = sequence();
    const [gap, late, eip] = timers[i];
    const steps: (BodyEvent | null)[] = [];
    const interrupts = 20_000;
    for (let n = 1, at = 0; n <= interrupts; n++) {
      at += gap(pick);
      steps.push(tick(at));
      at += late(pick);
      steps.push(accept(at, eip(pick)));
      if (n % 250 === 0) steps.push(null);
    }
    const encoder = new EventEncoder(0);
    const events = steps.filter((step) => step !== null);
    const values = new ValueWriter();
    for (const event of events) encoder.encode(event, values);
    expect(values.payload().length / interrupts).toBeCloseTo(raw, 1);
    const inFile = (traceOf(steps).length - traceOf([]).length) / interrupts;
    // Another zlib may deflate a little better or worse.
    expect(Math.abs(inFile - file)).toBeLessThan(0.3);
  });
});
