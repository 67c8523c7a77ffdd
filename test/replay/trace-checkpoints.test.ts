/** Checkpoints in traces: on the way, and as what a trace starts with. */
import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import {
  applyRecord,
  CheckpointMaker,
  type CheckpointRecord,
  noClockValues,
} from '../../src/replay/checkpoint-record.js';
import {
  CHUNK_CHECKPOINT,
  CHUNK_PAGES,
  CHUNK_START,
  encodeChunk,
  encodePrelude,
} from '../../src/replay/chunk-frame.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { StateDigest } from '../../src/replay/digest.js';
import { Recorder } from '../../src/replay/recorder.js';
import { Session } from '../../src/replay/session.js';
import { StoredCheckpoints } from '../../src/replay/stored-checkpoints.js';
import { Timeline } from '../../src/replay/timeline.js';
import { type Trace, type TraceStart, TraceWriter } from '../../src/replay/trace-format.js';
import { encodeHeader } from '../../src/replay/trace-header.js';
import { countSteps } from './recording.js';
import { timerGuest } from './timer-guest.js';
import {
  chunkOffsets,
  examine,
  open,
  payloadAt,
  Sink,
  START_BARE,
  whole,
} from './trace-samples.js';

const ROUNDS = 120_000;
const EVERY = 300_000;

/** A recording of the timer guest with checkpoints in it. */
function record(): Uint8Array {
  const sink = new Sink();
  const machine = timerGuest(ROUNDS);
  const writer = new TraceWriter(sink.write, START_BARE);
  const recorder = new Recorder(machine, writer);
  recorder.keepCheckpoints(writer, EVERY);
  const session = new Session(machine, new RandomClock(5), { recorder });
  while (typeof session.slice(70_000) !== 'object')
    if (machine.cpu.instant % 3 === 0) writer.flush();
  return sink.bytes;
}

const file = record();
const recorded = open(file);

/** A timeline over the recording, and how many steps its machine has run. */
function subject(trace: Trace, takesOver = true) {
  const machine = timerGuest(ROUNDS);
  const ran = countSteps(machine);
  const stored = takesOver ? new StoredCheckpoints(trace) : null;
  const line = Timeline.overTrace(machine, [...trace.events], trace.lastInstant, { stored });
  const digest = new StateDigest(machine);
  return { line, digest: () => digest.compute(), ran };
}

/** The steps before the last stored checkpoint: what need not be run. */
const kept = recorded.checkpoints.at(-1)?.at ?? 0;

describe('checkpoints in a trace', () => {
  test('lie where they were asked for, behind all that happened before', () => {
    expect(recorded.damage).toBeNull();
    expect(recorded.isComplete).toBe(true);
    const instants = recorded.checkpoints.map(({ at }) => at);
    expect(instants.length).toBe(Math.floor(recorded.lastInstant / EVERY));
    expect(instants.every((at, place) => at === (place + 1) * EVERY)).toBe(true);
    const events = [...recorded.events];
    for (const { at, events: position } of recorded.checkpoints) {
      expect(events[position - 1].at).toBeLessThanOrEqual(at);
      expect(events[position].at).toBeGreaterThanOrEqual(at);
    }
  });

  test('hold no page that did not change', () => {
    const pages = recorded.checkpoints.map((_, place) => whole(recorded.checkpoint(place)).pages);
    for (const differences of pages) {
      for (const bytes of differences.values()) expect(bytes.some((byte) => byte !== 0)).toBe(true);
    }
    // 64 pages are all that the guest mixes, and some more that it counts in.
    expect(Math.max(...pages.map(({ size }) => size))).toBeLessThan(90);
  });

  test('bring a timeline near the end without a run over what lies before', () => {
    const { line, digest, ran } = subject(recorded);
    line.seek(recorded.lastInstant);
    expect(digest()).toBe(recorded.end?.digest);
    expect(ran()).toBeLessThan(recorded.lastInstant - kept + 1);
    expect(kept).toBeGreaterThan(2_500_000);
  });

  test('give the states that a run from the beginning gives', () => {
    const plain = subject(recorded, false);
    const { line, digest } = subject(recorded);
    fc.assert(
      fc.property(fc.nat(recorded.lastInstant), (instant) => {
        plain.line.seek(instant);
        line.seek(instant);
        expect(line.instant).toBe(instant);
        expect(digest()).toBe(plain.digest());
      }),
      { numRuns: 40 },
    );
  });

  test('are what a backward search starts from', () => {
    const { line, ran } = subject(recorded);
    line.seek(recorded.lastInstant);
    const before = ran();
    const motion = line.continue('backward', {
      breakpoints: new Set(),
      watchpoints: [],
      deliveries: () => true,
    });
    let step = motion.next();
    while (step.done !== true) step = motion.next();
    expect(step.value.kind).toBe('delivery');
    expect(ran() - before).toBeLessThan(2 * (recorded.lastInstant - kept) + 1);
  });

  test('come to nothing where they lie: the recording is what happened', () => {
    const lying: Pick<Trace, 'checkpoints' | 'checkpoint'> = {
      checkpoints: recorded.checkpoints,
      checkpoint: (place) => {
        const record = whole(recorded.checkpoint(place));
        if (place < 4) return { isWhole: true, value: record };
        const pages = new Map(record.pages);
        const [page, bytes] = [...pages][3];
        pages.set(
          page,
          bytes.map((byte, at) => (at === 77 ? byte ^ 1 : byte)),
        );
        return { isWhole: true, value: { ...record, pages } };
      },
    };
    const machine = timerGuest(ROUNDS);
    const stored = new StoredCheckpoints(lying);
    const line = Timeline.overTrace(machine, [...recorded.events], recorded.lastInstant, {
      stored,
    });
    expect(line.seek(recorded.lastInstant)).toEqual({ kind: 'instant' });
    expect(new StateDigest(machine).compute()).toBe(recorded.end?.digest);
  });
});

/** The same recording from an instant on, as a trace that starts there. */
function startingAt(instant: number): Uint8Array {
  const machine = timerGuest(ROUNDS);
  const maker = new CheckpointMaker(machine);
  const events = [...recorded.events];
  const line = Timeline.overTrace(machine, events.slice(), recorded.lastInstant);
  line.seek(instant);
  const before = line.events(0, instant).filter((event) => isBefore(event, instant));
  const checkpoint = maker.make(noClockValues());
  const sink = new Sink();
  const start: TraceStart = { ...START_BARE, checkpoint };
  const writer = new TraceWriter(sink.write, start);
  for (const event of events.slice(before.length)) writer.event(event);
  return sink.bytes;
}

/** The event belongs to the state at the instant, and not to the step after it. */
function isBefore({ kind, at }: { kind: string; at: number }, instant: number): boolean {
  return at < instant || kind === 'irq' || kind === 'serial' || kind === 'digest';
}

describe('a trace that starts with a checkpoint', () => {
  const START_AT = 1_234_567;
  const bytes = startingAt(START_AT);
  const trace = open(bytes);
  const begun = (): Machine => {
    const machine = timerGuest(ROUNDS);
    applyRecord(machine, trace.start!);
    return machine;
  };

  test('says where it starts, in format version 3', () => {
    expect(trace.damage).toBeNull();
    expect(trace.formatVersion).toBe(3);
    expect(trace.firstInstant).toBe(START_AT);
    expect(trace.lastInstant).toBe(recorded.lastInstant);
    expect(bytes.length).toBeLessThan(file.length);
  });

  test('replays to the same end', () => {
    const machine = begun();
    expect(new StateDigest(machine).compute()).toBe(trace.start?.digest);
    const line = Timeline.overTrace(machine, [...trace.events], trace.lastInstant);
    expect(line.begin).toBe(START_AT);
    expect(line.seek(trace.lastInstant)).toEqual({ kind: 'instant' });
    expect(new StateDigest(machine).compute()).toBe(recorded.end?.digest);
  });

  test('has no past before it', () => {
    const line = Timeline.overTrace(begun(), [...trace.events], trace.lastInstant);
    expect(line.step('backward')).toEqual({ kind: 'begin' });
    expect(line.seek(START_AT - 1)).toEqual({ kind: 'begin' });
    line.seek(START_AT + 5000);
    const motion = line.continue('backward', { breakpoints: new Set(), watchpoints: [] });
    let step = motion.next();
    while (step.done !== true) step = motion.next();
    expect(step.value).toEqual({ kind: 'begin' });
    expect(line.instant).toBe(START_AT);
  });

  test('lets no clock run backward in a diversion', () => {
    const first = { ...trace.start!, clocks: { ...noClockValues(), tsc: 99e9, pit: 5e9 } };
    const line = Timeline.overTrace(begun(), [...trace.events], trace.lastInstant, { first });
    const { session } = line.diverge();
    const reads: number[] = [];
    const inject = line.machine.inject.bind(line.machine);
    line.machine.inject = (input) => {
      if (input.kind === 'clock') reads.push(input.value);
      inject(input);
    };
    session.advance(line.instant + 200_000);
    expect(reads.length).toBeGreaterThan(0);
    expect(Math.min(...reads)).toBeGreaterThanOrEqual(5e9);
  });

  test('may be cut in any byte of its first state, and has none then', () => {
    const offsets = chunkOffsets(bytes);
    for (let length = offsets[1]; length < offsets[2]; length += 97) {
      const cut = examine(bytes.subarray(0, length));
      expect(cut.trace?.start ?? null).toBeNull();
      if (length > offsets[1]) expect(cut.damage?.kind).toBe('cut');
    }
  });
});

describe('the chunks of a checkpoint', () => {
  const state = { cpu: Uint8Array.of(1, 2, 3), devices: { pit: [1, -2.5, 2 ** 40], none: [] } };
  const page = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => {
    const whole = new Uint8Array(4096);
    whole.set(bytes, 100);
    return whole;
  });
  const pages = fc
    .uniqueArray(fc.tuple(fc.nat(0xfffff), page), { selector: ([number]) => number })
    .map((entries) => new Map(entries.sort(([a], [b]) => a - b)));

  function written(records: readonly CheckpointRecord[]): Uint8Array {
    const sink = new Sink();
    const writer = new TraceWriter(sink.write, START_BARE);
    for (const record of records) writer.checkpoint(record);
    return sink.bytes;
  }

  test('give back what went in', () => {
    const clocks = { ...noClockValues(), tsc: 5, apic: 0 };
    fc.assert(
      fc.property(pages, fc.nat(), (map, at) => {
        const record = { at, state, digest: 'c0ffee', clocks, pages: map };
        const trace = open(written([record]));
        expect(trace.checkpoints).toHaveLength(1);
        expect(plainly(whole(trace.checkpoint(0)))).toEqual(plainly(record));
      }),
      { numRuns: 50 },
    );
  });

  test('are several where there are many pages', () => {
    const bytes = new Uint8Array(4096).fill(9);
    const map = new Map(Array.from({ length: 2500 }, (_, number) => [number * 3, bytes] as const));
    const record = { at: 7, state, digest: '', clocks: noClockValues(), pages: map };
    const file = written([record, { ...record, at: 9, pages: new Map() }]);
    expect(chunkOffsets(file)).toHaveLength(2 + 1 + 3 + 1 + 1);
    const trace = open(file);
    expect(trace.checkpoints.map(({ frames }) => frames.length)).toEqual([3, 1]);
    expect(plainly(whole(trace.checkpoint(0)))).toEqual(plainly(record));
  });

  test('whatever they hold, reading throws nothing and allocates no more than a page for a page', () => {
    const header = encodeChunk({ type: 2, sequence: 0, from: 0, to: 0 }, encodeHeader(START_BARE));
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((edits) => {
        const edited = Uint8Array.from(RAW);
        for (const [at, byte] of edits) edited[at % edited.length] = byte;
        return edited;
      }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(CHUNK_CHECKPOINT, CHUNK_START, CHUNK_PAGES),
        payload,
        (type, body) => {
          const chunk = encodeChunk({ type, sequence: 1, from: 0, to: 0 }, body);
          const bytes = new Uint8Array(Buffer.concat([encodePrelude(3), header, chunk]));
          const trace = open(bytes);
          trace.checkpoints.forEach((_, place) => trace.checkpoint(place));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** A record that is quickly compared: pages by their digests. */
function plainly(record: CheckpointRecord): object {
  const pages = [...record.pages].map(([page, bytes]) => {
    return `${page} ${createHash('sha256').update(bytes).digest('hex')}`;
  });
  return { ...record, pages };
}

/** An undeflated payload with one page, to be edited. */
const RAW = (() => {
  const sink = new Sink();
  const writer = new TraceWriter(sink.write, START_BARE);
  const pages = new Map([[3, new Uint8Array(4096)]]);
  const state = { cpu: new Uint8Array(1032), devices: { pit: [1, 2] } };
  writer.checkpoint({ at: 0, state, digest: 'aa', clocks: noClockValues(), pages });
  const bytes = sink.bytes;
  return new Uint8Array(inflateRawSync(payloadAt(bytes, 1)));
})();
