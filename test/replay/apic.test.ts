/** A machine with a local APIC, recorded, replayed, and walked through in both directions. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { IDTR_BASE, IDTR_LIMIT } from '../../src/cpu/state-layout.js';
import { loadImage } from '../../src/machine/loaders/image.js';
import { Machine } from '../../src/machine/machine.js';
import { HostClock } from '../../src/replay/clock/host.js';
import type { LiveSource } from '../../src/replay/clock/live-source.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import { StateDigest } from '../../src/replay/digest.js';
import { timeAfter } from '../../src/replay/diversion.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { Session } from '../../src/replay/session.js';
import { Timeline } from '../../src/replay/timeline.js';
import { readTrace, TraceWriter } from '../../src/replay/trace-format.js';
import { type Recording, record, replayer } from './recording.js';

const bytes = readFileSync(new URL('../guest/kernels/apic.elf', import.meta.url));
const LINE_APIC_TIMER = 16;

function guest(): Machine {
  const machine = new Machine({ memoryBytes: 4 << 20, apic: true });
  loadImage(machine, { name: 'apic.elf', bytes }, {});
  return machine;
}

/** A host whose time is a tenth of a millisecond later whenever it is looked at. */
function host(): LiveSource {
  let nanoseconds = 0;
  const now = (): number => {
    nanoseconds += 100_000;
    return nanoseconds;
  };
  return new HostClock({ now, epochSeconds: 1e9, skipsIdle: true });
}

describe.each<[string, () => LiveSource]>([
  ['the virtual clock', () => new VirtualClock()],
  ['the random clock', () => new RandomClock(7)],
  ['the host clock', host],
])('recorded under %s', (_, source) => {
  let recording: Recording;

  beforeAll(() => {
    recording = record(guest(), source());
  });

  test('the guest comes to its end, and its timer interrupts are inputs that were taken', () => {
    expect(recording.outcome).toMatchObject({ kind: 'exit', value: 0x31 });
    const { events } = recording;
    const ofTimer = events.filter((event) => 'line' in event && event.line === LINE_APIC_TIMER);
    const kinds = ofTimer.map((event) => event.kind);
    expect(kinds.filter((kind) => kind === 'accept')).toHaveLength(4);
    expect(ofTimer.every((event) => event.kind !== 'irq' || event.isInput)).toBe(true);
    expect(events.some((event) => event.kind === 'clock' && event.source === 'apic')).toBe(true);
  });

  test('a replay is the recorded run, in steps of any length', () => {
    for (const stride of [Number.POSITIVE_INFINITY, 977]) {
      const machine = guest();
      const replay = replayer(machine, recording.events);
      while (machine.cpu.instant < recording.end) {
        const exit = replay.advance(Math.min(recording.end + 1, machine.cpu.instant + stride));
        expect(replay.divergence).toBeNull();
        if (exit === 'end') break;
      }
      expect(machine.cpu.instant).toBe(recording.end);
    }
  });

  test('a trace of it holds the same events', () => {
    const chunks: Uint8Array[] = [];
    const machine = { memoryBytes: 4 << 20, clock: 'virtual', seed: 0, cmdline: null, apic: true };
    const writer = new TraceWriter((chunk) => chunks.push(chunk), {
      holdoffVersion: '0',
      machine: { ...machine, clock: 'virtual' },
      images: [{ name: 'apic.elf', role: 'kernel', bytes }],
      loadAddress: null,
    });
    for (const event of recording.events) writer.event(event);
    const trace = readTrace(Buffer.concat(chunks));
    expect(trace.formatVersion).toBe(2);
    expect(trace.header.machine).toEqual(machine);
    expect([...trace.events]).toEqual(recording.events);
  });

  test('a step back undoes a step, also where an interrupt of the APIC is taken', () => {
    const taken = recording.events.filter(
      (event) => event.kind === 'accept' && event.line >= LINE_APIC_TIMER,
    );
    const timeline = Timeline.overTrace(guest(), recording.events, recording.end);
    const digests = new StateDigest(timeline.machine);
    for (const { at } of taken.slice(-6)) {
      timeline.seek(at);
      const before = digests.compute();
      timeline.step('forward');
      timeline.step('forward');
      timeline.step('backward');
      timeline.step('backward');
      expect(timeline.instant).toBe(at);
      expect(digests.compute()).toBe(before);
    }
  });
});

describe('a hot loop at the registers', () => {
  const ICR = [0x00, 0x03, 0xe0, 0xfe];
  const TPR = [0x80, 0x00, 0xe0, 0xfe];
  const COUNT = 0x5000;
  const HANDLER = 0x3000;
  const ROUNDS = 6000;
  // biome-ignore format: one instruction a line
  const LOOP = [
    0xc7, 0x05, 0xe0, 0x03, 0xe0, 0xfe, 0x0b, 0, 0, 0, // divide by 1
    0xc7, 0x05, 0x20, 0x03, 0xe0, 0xfe, 0x80, 0, 2, 0, // periodic, vector 80h
    0xc7, 0x05, 0x80, 0x03, 0xe0, 0xfe, 0x37, 1, 0, 0, // every 311 ticks
    0xb9, ROUNDS & 0xff, ROUNDS >> 8, 0, 0, // mov $ROUNDS, %ecx
    0xfb, // sti
    0xc7, 0x05, ...ICR, 0x45, 0, 4, 0, // 35: vector 45h to itself, taken here
    0x03, 0x35, 0x90, 0x03, 0xe0, 0xfe, // add CURRENT_COUNT, %esi
    0xc7, 0x05, ...TPR, 0x50, 0, 0, 0, // TPR 50h
    0xc7, 0x05, ...ICR, 0x45, 0, 4, 0, // again, which waits
    0x46, // inc %esi
    0x81, 0x2d, ...TPR, 0x50, 0, 0, 0, // subl $0x50, TPR: taken here
    0x49, // dec %ecx
    0x75, 0xce, // jnz 35
    0xb0, 0x31, 0xe6, 0xf4, // mov $0x31, %al; out %al, $0xf4
  ];
  // biome-ignore format: one instruction a line
  const ENTRY = [
    0xff, 0x05, 0x00, 0x50, 0x00, 0x00, // incl COUNT
    0xc7, 0x05, 0xb0, 0x00, 0xe0, 0xfe, 0, 0, 0, 0, // EOI
    0xcf, // iret
  ];

  function looping(engine: 'interpreter' | 'auto'): Machine {
    const machine = new Machine({ memoryBytes: 2 << 20, apic: true, engine });
    loadImage(machine, { name: 'loop', bytes: Uint8Array.from(LOOP) }, { address: 0x8000 });
    const { physical, state } = machine.cpu.core;
    physical.load(HANDLER, Uint8Array.from(ENTRY));
    for (const vector of [0x45, 0x80]) {
      physical.write(0x2000 + vector * 8, 4, (8 << 16) | HANDLER);
      physical.write(0x2000 + vector * 8 + 4, 4, 0x8e00);
    }
    state.set(IDTR_BASE, 0x2000);
    state.set(IDTR_LIMIT, 0x7ff);
    return machine;
  }

  test('gives the same events and the same end, interpreted and compiled', () => {
    const interpreted = record(looping('interpreter'), new VirtualClock());
    const compiled = record(looping('auto'), new VirtualClock());
    expect(interpreted.outcome).toMatchObject({ kind: 'exit', value: 0x31 });
    expect(compiled.end).toBe(interpreted.end);
    expect(compiled.events).toEqual(interpreted.events);
    const taken = interpreted.events.filter(({ kind }) => kind === 'accept').length;
    expect(interpreted.machine.cpu.core.physical.read(COUNT, 4)).toBe(taken);
    expect(taken).toBeGreaterThan(2 * ROUNDS);
  });
});

describe('a run', () => {
  /** cli; then LINT0 as NMI, IRQ 0 unmasked, hlt; hlt: the 8254 ends the first as NMI, without an IDT. */
  const code = [
    ...[0xfa, 0xc7, 0x05, 0x50, 0x03, 0xe0, 0xfe, 0x00, 0x04, 0x00, 0x00],
    ...[0xb0, 0xfe, 0xe6, 0x21, 0xf4, 0xf4],
  ];

  test('halted with interrupts off goes on where LINT0 can bring an NMI', () => {
    for (const apic of [true, false]) {
      const machine = new Machine({ memoryBytes: 2 << 20, apic });
      loadImage(machine, { name: 'code', bytes: Uint8Array.from(code) }, {});
      const outcome = new Session(machine, new VirtualClock()).slice(1000);
      expect(outcome).toEqual({ kind: apic ? 'shutdown' : 'halted' });
    }
  });

  test('that is diverted goes on from the time that the APIC has shown', () => {
    const events: TraceEvent[] = [
      { kind: 'clock', at: 10, source: 'pit', value: 7 },
      { kind: 'clock', at: 20, source: 'apic', value: 123_456 },
    ];
    expect(timeAfter(events, 2, 25).nanoseconds).toBe(1_234_560 + 5 * 10);
  });
});
