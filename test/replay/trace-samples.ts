/** Traces for the tests of the trace format: made events, made traces, and a sink that keeps them. */
import fc from 'fast-check';
import { LINES } from '../../src/machine/input.js';
import {
  CHUNK_HEADER,
  CHUNK_IMAGE,
  FRAME_BYTES,
  type NewChunk,
  PRELUDE_BYTES,
} from '../../src/replay/chunk-frame.js';
import { type BodyEvent, SHIM_ARGS_MOST, type TraceEvent } from '../../src/replay/event.js';
import type { Checked, TraceDamage } from '../../src/replay/trace-damage.js';
import {
  bytesSource,
  openTrace,
  type Trace,
  type TraceStart,
  TraceWriter,
} from '../../src/replay/trace-format.js';

/** A header with two images: one that deflates well, one that is too short to. */
export const START: TraceStart = {
  holdoffVersion: '0.1.0',
  machine: { memoryBytes: 16 << 20, clock: 'random', seed: 7, cmdline: 'root=/dev/ram quiet' },
  images: [
    { name: 'kernel.elf', role: 'kernel', bytes: new Uint8Array(300).fill(0x90) },
    { name: 'initrd.gz', role: 'initrd', bytes: Uint8Array.of(0x1f, 0x8b, 8) },
  ],
  loadAddress: null,
};

/** The same without images, for tests that have no use for them. */
export const START_BARE: TraceStart = { ...START, images: [] };

/** An event of every kind, with usual and with extreme values. */
export const EVENTS: readonly BodyEvent[] = [
  { kind: 'digest', at: 0, digest: '00'.repeat(32) },
  { kind: 'clock', at: 12, source: 'pit', value: 0 },
  { kind: 'irq', at: 100_000, line: 0, isInput: true },
  { kind: 'accept', at: 100_000, vector: 32, line: 0, cpl: 0, eip: -0x3fefedcc, shadow: 0 },
  { kind: 'irq', at: 200_007, line: 0, isInput: true },
  { kind: 'accept', at: 200_009, vector: 32, line: 0, cpl: 3, eip: 0x8048123, shadow: 0 },
  { kind: 'irq', at: 299_999, line: 0, isInput: true },
  { kind: 'irq', at: 300_001, line: 4, isInput: false },
  { kind: 'accept', at: 300_040, vector: 36, line: 4, cpl: 0, eip: -0x3fefedc0, shadow: 1 },
  { kind: 'accept', at: 300_041, vector: 39, line: 7, cpl: 1, eip: 0x7fffffff, shadow: 2 },
  { kind: 'serial', at: 300_041, byte: 0 },
  { kind: 'serial', at: 300_500, byte: 255 },
  { kind: 'nmi', at: 2 ** 32 },
  { kind: 'exception', at: 2 ** 32 + 1, vector: 6, errorCode: null },
  { kind: 'exception', at: 2 ** 32 + 1, vector: 13, errorCode: 0x1238 },
  { kind: 'clock', at: 2 ** 32 + 2, source: 'tsc', value: Number.MAX_SAFE_INTEGER },
  { kind: 'clock', at: 2 ** 32 + 2, source: 'tsc', value: 0 },
  { kind: 'clock', at: 2 ** 32 + 3, source: 'rtc', value: 946_684_800 },
  { kind: 'shim', at: 2 ** 32 + 9, call: 3, site: -0x3ff00000, args: [], result: null },
  {
    kind: 'shim',
    at: 2 ** 40,
    call: 2 ** 32 - 1,
    site: 5,
    args: [-(2 ** 31), 7],
    result: 2 ** 32 - 1,
  },
  { kind: 'digest', at: Number.MAX_SAFE_INTEGER - 1, digest: '0123456789abcdef' },
];

/** Keeps what a writer hands out. */
export class Sink {
  readonly parts: Uint8Array[] = [];
  readonly write = (bytes: Uint8Array): void => void this.parts.push(bytes);

  get bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.parts));
  }
}

/** The bytes of a trace of these events; null for an event asks for a flush. */
export function traceOf(events: readonly (TraceEvent | null)[], start = START_BARE): Uint8Array {
  const sink = new Sink();
  const writer = new TraceWriter(sink.write, start);
  for (const event of events) {
    if (event === null) writer.flush();
    else writer.event(event);
  }
  writer.flush();
  return sink.bytes;
}

/** The end of the sample. */
export const END: TraceEvent = {
  kind: 'end',
  at: Number.MAX_SAFE_INTEGER,
  outcome: { kind: 'exit', status: 99, value: 49 },
  digest: 'fe'.repeat(32),
};

/** A whole trace with all kinds of chunks: deflated and stored ones, of images and of events. */
export function sampleTrace(): Uint8Array {
  const events = [...EVENTS.slice(0, 4), null, ...EVENTS.slice(4), null];
  return traceOf([...events, END], START);
}

/** Opens what must be readable. */
export function open(bytes: Uint8Array): Trace {
  return whole(openTrace(bytesSource(bytes)));
}

/** The value of what must be whole. */
export function whole<T>(checked: Checked<T>): T {
  if (checked.isWhole) return checked.value;
  throw new Error(`${checked.damage.kind}: ${checked.damage.expected}, ${checked.damage.found}`);
}

/** Where the chunks of a whole trace start, and last where the file ends. */
export function chunkOffsets(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const offsets = [];
  let at = PRELUDE_BYTES;
  // The length that an ext 32 states starts behind its 6 bytes.
  for (; at < bytes.length; at += 6 + view.getUint32(at + 1)) offsets.push(at);
  return [...offsets, at];
}

/** The payload of a chunk as it lies in the file. */
export function payloadAt(bytes: Uint8Array, chunk: number): Uint8Array {
  const offsets = chunkOffsets(bytes);
  return bytes.subarray(offsets[chunk] + FRAME_BYTES, offsets[chunk + 1]);
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const word = fc.oneof(int32, fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const byte = fc.nat(255);
const uint53 = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.integer({ min: 2 ** 31, max: 2 ** 33 }));
const digest = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('hex'));

type Unplaced = BodyEvent extends infer E ? (E extends BodyEvent ? Omit<E, 'at'> : never) : never;

const unplaced: fc.Arbitrary<Unplaced> = fc.oneof(
  fc.record({ kind: fc.constant('irq' as const), line: fc.nat(LINES - 1), isInput: fc.boolean() }),
  fc.record({
    kind: fc.constant('irq' as const),
    line: fc.constant(0),
    isInput: fc.constant(true),
  }),
  fc.record({
    kind: fc.constant('accept' as const),
    vector: byte,
    line: fc.nat(LINES - 1),
    cpl: fc.nat(3),
    eip: int32,
    shadow: fc.nat(3),
  }),
  fc.record({
    kind: fc.constant('accept' as const),
    vector: fc.constantFrom(32, 36),
    line: fc.constantFrom(0, 4),
    cpl: fc.constantFrom(0, 0, 1, 3),
    eip: int32,
    shadow: fc.constantFrom(0, 0, 1, 2),
  }),
  fc.record({ kind: fc.constant('nmi' as const) }),
  fc.record({
    kind: fc.constant('exception' as const),
    vector: byte,
    errorCode: fc.option(int32),
  }),
  fc.record({
    kind: fc.constant('clock' as const),
    source: fc.constantFrom('tsc' as const, 'pit' as const, 'rtc' as const, 'apic' as const),
    value: uint53,
  }),
  fc.record({ kind: fc.constant('serial' as const), byte }),
  fc.record({
    kind: fc.constant('shim' as const),
    call: fc.nat(0xffffffff),
    site: int32,
    args: fc.array(word, { maxLength: SHIM_ARGS_MOST }),
    result: fc.option(word),
  }),
  fc.record({ kind: fc.constant('digest' as const), digest }),
);

/** How far apart events lie: at one instant, close, at a timer's distance, far. */
const delta = fc.oneof(
  fc.constant(0),
  fc.nat(200),
  fc.integer({ min: 99_900, max: 100_100 }),
  fc.nat(2 ** 40),
);

/** Any events in their order, with flushes (null) between them. */
export const anyEvents: fc.Arbitrary<(BodyEvent | null)[]> = fc
  .array(fc.option(fc.tuple(delta, unplaced), { freq: 10 }), { maxLength: 120 })
  .map((steps) => {
    let at = 0;
    return steps.map((step) => {
      if (step === null) return null;
      at += step[0];
      return { ...step[1], at };
    });
  });

/** The trace that docs/trace-format.md takes apart: `sti; hlt; jmp` and what a timer does to it. */
export const EXAMPLE_START: TraceStart = {
  holdoffVersion: '0.1.0',
  machine: { memoryBytes: 1 << 20, clock: 'host', seed: 0, cmdline: null },
  images: [{ name: 'idle.bin', role: 'kernel', bytes: Uint8Array.of(0xfb, 0xf4, 0xeb, 0xfc) }],
  loadAddress: 0x7c00,
};
export const EXAMPLE_EVENTS: readonly TraceEvent[] = [
  { kind: 'clock', at: 6, source: 'pit', value: 0 },
  { kind: 'irq', at: 1000, line: 0, isInput: true },
  { kind: 'accept', at: 1000, vector: 0x20, line: 0, cpl: 0, eip: 0x7c02, shadow: 0 },
  { kind: 'irq', at: 2000, line: 0, isInput: true },
  { kind: 'accept', at: 2000, vector: 0x20, line: 0, cpl: 0, eip: 0x7c02, shadow: 0 },
  { kind: 'irq', at: 3002, line: 0, isInput: true },
  { kind: 'accept', at: 3003, vector: 0x20, line: 0, cpl: 0, eip: 0x7c01, shadow: 0 },
  { kind: 'serial', at: 3500, byte: 0x41 },
  { kind: 'digest', at: 3500, digest: 'c0ffee00' },
  { kind: 'end', at: 4000, outcome: { kind: 'exit', status: 7, value: 3 }, digest: 'deadbeef' },
];

/** The trace, or null where not even the header can be read; and the damage. */
export function examine(bytes: Uint8Array): { trace: Trace | null; damage: TraceDamage | null } {
  const opened = openTrace(bytesSource(bytes));
  if (!opened.isWhole) return { trace: null, damage: opened.damage };
  return { trace: opened.value, damage: opened.value.damage };
}

/** A place for a chunk in a trace that covers a million instants with its first chunk of events. */
export function place(type: number, sequence: number): NewChunk {
  const to = type === CHUNK_HEADER || type === CHUNK_IMAGE ? 0 : 1_000_000;
  return { type, sequence, from: sequence > 1 ? to : 0, to };
}
