import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/machine/user-error.js';
import type { TraceEvent } from '../../src/replay/event.js';
import type { Outcome } from '../../src/replay/outcome.js';
import {
  CHUNK_BYTES_MOST,
  CHUNK_EVENTS_MOST,
  readTrace,
  TraceWriter,
} from '../../src/replay/trace-format.js';
import {
  anyEvents,
  chunkOffsets,
  END,
  EVENTS,
  open,
  Sink,
  START,
  START_BARE,
  sampleTrace,
  traceOf,
  whole,
} from './trace-samples.js';

describe('writing and reading a trace', () => {
  test('gives back every event of every kind, and the end last', () => {
    const trace = open(sampleTrace());
    expect([...trace.events]).toEqual([...EVENTS, END]);
    expect(trace).toMatchObject({ isComplete: true, damage: null, end: END, lastInstant: END.at });
  });

  test('gives back any events, however they are cut into chunks', () => {
    fc.assert(
      fc.property(anyEvents, (steps) => {
        const events = steps.filter((step) => step !== null);
        const trace = open(traceOf(steps));
        expect([...trace.events]).toEqual(events);
        expect(trace.damage).toBeNull();
        expect(trace.lastInstant).toBe(events.at(-1)?.at ?? 0);
      }),
      { numRuns: 500 },
    );
  });

  test('gives back the header and the images', () => {
    const trace = open(sampleTrace());
    expect(trace.header).toEqual({
      ...START,
      images: [
        { name: 'kernel.elf', role: 'kernel', byteLength: 300 },
        { name: 'initrd.gz', role: 'initrd', byteLength: 3 },
      ],
    });
    expect(whole(trace.image(0))).toEqual(START.images[0].bytes);
    expect(whole(trace.image(1))).toEqual(START.images[1].bytes);
  });

  test('gives back any machine', () => {
    fc.assert(
      fc.property(
        fc.record({
          memoryBytes: fc.nat(2 ** 32),
          clock: fc.constantFrom('virtual' as const, 'host' as const, 'random' as const),
          seed: fc.maxSafeNat(),
          cmdline: fc.option(fc.string({ unit: 'grapheme' })),
        }),
        // What is as it always was is not said.
        fc.record(
          {
            apic: fc.constant(true),
            cpu: fc.constantFrom(386 as const, 486 as const),
            cpuVendor: fc.constant('amd' as const),
          },
          { requiredKeys: [] },
        ),
        fc.option(fc.nat(0xffffffff)),
        (plain, processor, loadAddress) => {
          const machine = { ...plain, ...processor };
          const trace = open(traceOf([], { ...START_BARE, machine, loadAddress }));
          expect(trace.header).toEqual({ ...START_BARE, machine, loadAddress });
          expect(trace.formatVersion).toBe(Object.keys(processor).length === 0 ? 1 : 2);
        },
      ),
    );
  });

  test('says version 1 while a reader of that one has words for all of it', () => {
    const bios = { name: 'rom.bin', role: 'bios' as const, bytes: new Uint8Array(4096) };
    expect(open(traceOf([], { ...START_BARE, images: [bios] })).formatVersion).toBe(2);
    const machine = { ...START_BARE.machine, apic: false, cpu: 686 as const };
    const trace = open(traceOf([], { ...START_BARE, machine }));
    expect(trace.formatVersion).toBe(1);
    expect(trace.header.machine).toEqual(START_BARE.machine);
  });

  test.each<Outcome>([
    { kind: 'exit', status: 1, value: 0 },
    { kind: 'exit', status: 255, value: 255 },
    { kind: 'halted' },
    { kind: 'shutdown' },
    { kind: 'reset' },
    { kind: 'limit' },
    { kind: 'interrupted' },
  ])('gives back the outcome $kind', (outcome) => {
    const end: TraceEvent = { kind: 'end', at: 5, outcome, digest: '' };
    expect([...open(traceOf([end])).events]).toEqual([end]);
  });

  test('counts the events of each kind', () => {
    expect(open(sampleTrace()).counts).toEqual({
      irq: 4,
      accept: 4,
      nmi: 1,
      exception: 2,
      clock: 4,
      serial: 2,
      shim: 2,
      digest: 2,
    });
  });

  test('starts reading at any instant, and finds what a read from the start finds', () => {
    fc.assert(
      fc.property(anyEvents, fc.nat(), (steps, choice) => {
        const events = steps.filter((step) => step !== null);
        const trace = open(traceOf([...steps]));
        const at = (events[choice % Math.max(1, events.length)]?.at ?? 0) + (choice % 3) - 1;
        expect([...trace.eventsFrom(at)]).toEqual(events.filter((event) => event.at >= at));
      }),
    );
  });

  test('reads no chunk before the instant that was asked for', () => {
    const steps = [1, 2, 3, 4].flatMap((at) => [{ kind: 'nmi' as const, at }, null]);
    const bytes = traceOf(steps);
    const trace = open(bytes);
    bytes.fill(0xc1, 0, chunkOffsets(bytes)[3]);
    expect([...trace.eventsFrom(3)].map(({ at }) => at)).toEqual([3, 4]);
  });
});

describe('TraceWriter', () => {
  test('hands a chunk to the sink after 4096 events', () => {
    const sink = new Sink();
    const writer = new TraceWriter(sink.write, START_BARE);
    const before = sink.parts.length;
    for (let at = 1; at < CHUNK_EVENTS_MOST; at++) writer.event({ kind: 'nmi', at });
    expect(sink.parts.length).toBe(before);
    writer.event({ kind: 'nmi', at: CHUNK_EVENTS_MOST });
    expect(sink.parts.length).toBe(before + 1);
    expect(open(sink.bytes)).toMatchObject({ lastInstant: CHUNK_EVENTS_MOST, damage: null });
  });

  test('hands a chunk to the sink before it would hold more than 64 KiB', () => {
    const sink = new Sink();
    const writer = new TraceWriter(sink.write, START_BARE);
    const before = sink.parts.length;
    const event = { kind: 'digest', at: 0, digest: 'ab'.repeat(64) } as const;
    // A tag and 64 bytes behind a header of two: each takes 67 bytes.
    const fitting = Math.floor(CHUNK_BYTES_MOST / 67);
    for (let i = 0; i < fitting; i++) writer.event(event);
    expect(sink.parts.length).toBe(before);
    writer.event(event);
    expect(sink.parts.length).toBe(before + 1);
    expect(open(sink.bytes).counts.digest).toBe(fitting);
  });

  test('extends what a killed trace covers by a flush without events', () => {
    const sink = new Sink();
    const writer = new TraceWriter(sink.write, START_BARE);
    writer.event({ kind: 'nmi', at: 10 });
    writer.flush(5_000_000);
    writer.flush(5_000_000);
    writer.flush(9_000_000);
    const trace = open(sink.bytes);
    expect(trace).toMatchObject({ lastInstant: 9_000_000, isComplete: false, damage: null });
    expect(chunkOffsets(sink.bytes).length - 1).toBe(3);
  });

  test('knows how much it has written', () => {
    const sink = new Sink();
    const writer = new TraceWriter(sink.write, START);
    writer.event({ kind: 'nmi', at: 10 });
    expect(writer.counts.nmi).toBe(1);
    writer.end(11, { kind: 'halted' }, '');
    expect(writer.bytes).toBe(sink.bytes.length);
  });

  test('refuses an event before the last one, and one after the end', () => {
    const writer = new TraceWriter(() => undefined, START_BARE);
    writer.event({ kind: 'nmi', at: 10 });
    expect(() => writer.event({ kind: 'nmi', at: 9 })).toThrow('@9 after one at @10');
    expect(() => writer.flush(9)).toThrow('@9 after an event at @10');
    writer.flush(20);
    expect(() => writer.event({ kind: 'nmi', at: 19 })).toThrow('@19 after one at @20');
    expect(() => writer.end(19, { kind: 'halted' }, '')).toThrow('@19 after an event at @20');
    writer.end(20, { kind: 'halted' }, '');
    expect(() => writer.event({ kind: 'nmi', at: 30 })).toThrow('has ended');
    expect(() => writer.end(30, { kind: 'halted' }, '')).toThrow('has ended');
  });

  test.each<TraceEvent>([
    { kind: 'nmi', at: 0.5 },
    { kind: 'nmi', at: 2 ** 53 },
    { kind: 'irq', at: 0, line: 512, isInput: true },
    { kind: 'accept', at: 0, vector: 256, line: 0, cpl: 0, eip: 0, shadow: 0 },
    { kind: 'accept', at: 0, vector: 0, line: 0, cpl: 4, eip: 0, shadow: 0 },
    { kind: 'clock', at: 0, source: 'tsc', value: -1 },
    { kind: 'clock', at: 0, source: 'tsc', value: 0.5 },
    { kind: 'serial', at: 0, byte: 256 },
    { kind: 'shim', at: 0, call: 0, site: 0, args: new Array<number>(65).fill(0), result: null },
    { kind: 'digest', at: 0, digest: 'xyz' },
    { kind: 'end', at: 0, outcome: { kind: 'incomplete' }, digest: '' },
  ])('refuses what it could not read back: %o', (event) => {
    const writer = new TraceWriter(() => undefined, START_BARE);
    expect(() => writer.event(event)).toThrow(
      /cannot be recorded|not a digest|cannot be incomplete/,
    );
  });
});

describe('readTrace', () => {
  test('says in one line that a file is no trace', () => {
    const elf = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    expect(() => readTrace(elf)).toThrow(UserError);
    expect(() => readTrace(elf)).toThrow('not a holdoff trace');
  });

  test('says in one line where the header is damaged', () => {
    const bytes = sampleTrace();
    bytes[60] ^= 1;
    expect(() => readTrace(bytes)).toThrow(UserError);
    expect(() => readTrace(bytes)).toThrow(
      /^the trace is damaged from its start: byte 55 \(chunk 0\): expected a payload with checksum 0x[\da-f]{8}, found 0x[\da-f]{8}$/,
    );
  });

  test('opens a trace that is damaged behind its header', () => {
    const bytes = sampleTrace();
    bytes[bytes.length - 1] ^= 1;
    expect(readTrace(bytes).damage).toMatchObject({ kind: 'corrupt' });
  });
});
