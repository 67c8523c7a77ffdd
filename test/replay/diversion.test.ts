import { describe, expect, test } from 'vitest';
import { applyRecord } from '../../src/replay/checkpoint-record.js';
import { nanosecondsOfPitTick } from '../../src/replay/clock/guest-time.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { StateDigest } from '../../src/replay/digest.js';
import { Diversion, type Recording, timeAfter } from '../../src/replay/diversion.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { Timeline } from '../../src/replay/timeline.js';
import { bareGuest } from './bare-guest.js';
import { record, replayer } from './recording.js';
import { timerGuest } from './timer-guest.js';

const READS: TraceEvent[] = [
  { kind: 'clock', at: 10, source: 'pit', value: 1000 },
  { kind: 'clock', at: 20, source: 'tsc', value: 5_000_000_000 },
  { kind: 'clock', at: 30, source: 'pit', value: 2_000_000 },
  { kind: 'irq', at: 40, line: 0, isInput: true },
  { kind: 'clock', at: 90, source: 'pit', value: 9_000_000 },
];

describe('where a diversion begins', () => {
  test('guest time goes on from the last that the guest has read', () => {
    expect(timeAfter(READS, 4, 50)).toEqual({
      nanoseconds: nanosecondsOfPitTick(2_000_000) + 20 * 10,
      timestamp: 5_000_000_000,
    });
    expect(timeAfter(READS, 1, 12)).toEqual({
      nanoseconds: nanosecondsOfPitTick(1000) + 2 * 10,
      timestamp: 0,
    });
  });

  test('without a read it is what the virtual clock would show', () => {
    expect(timeAfter(READS, 0, 7)).toEqual({ nanoseconds: 70, timestamp: 0 });
  });

  test('the time-stamp counter goes on from there too', () => {
    // RDTSC; JMP back
    const machine = bareGuest(0x0f, 0x31, 0xeb, 0xfc);
    new Diversion(machine, READS, 4).session.advance(3);
    const { state } = machine.cpu.core;
    const read = (state.reg32(2) >>> 0) * 2 ** 32 + (state.reg32(0) >>> 0);
    expect(read).toBeGreaterThanOrEqual(5_000_000_000);
    expect(read).toBeLessThan(5_000_000_010);
  });
});

describe('a diversion in which a debugger changed something', () => {
  const { events, end } = record(timerGuest(3000), new RandomClock(6));

  /** Replays what is kept to its end; the digest there, and the divergence. */
  function replayed({ first, events: kept }: Recording, machine = timerGuest(3000)) {
    if (first !== null) applyRecord(machine, first);
    const replay = replayer(machine, kept);
    expect(replay.advance(Number.POSITIVE_INFINITY)).toBe('end');
    expect(replay.divergence).toBeNull();
    return new StateDigest(machine).compute();
  }

  test('is kept from behind the last change on, and replays', () => {
    const line = Timeline.overTrace(timerGuest(3000), events.slice(), end);
    line.seek(Math.floor(end / 2));
    line.diverge().noteEdit();
    line.machine.cpu.core.physical.load(0x300000, Uint8Array.of(1, 2, 3));
    line.seek(line.instant);
    line.diverge().noteEdit();
    line.machine.cpu.core.physical.load(0x300000, Uint8Array.of(4, 5, 6));
    for (let step = 0; step < 40; step++) line.step('forward');
    line.diverge().noteEdit();
    line.machine.cpu.core.state.setReg32(3, 17);
    const at = line.instant;
    line.diverge().session.inject({ kind: 'irq', line: 0 });
    for (let step = 0; step < 900; step++) line.step('forward');
    const kept = line.diverge().recording();
    expect(kept.first?.at).toBe(at);
    expect(kept.first?.pages.has(0x300)).toBe(true);
    expect(replayed(kept)).toBe(new StateDigest(line.machine).compute());
  });

  test('at once is a trace of one instant', () => {
    const line = Timeline.overTrace(timerGuest(3000), events.slice(), end);
    line.seek(1000);
    line.diverge().noteEdit();
    line.machine.cpu.core.state.setReg32(0, 99);
    const kept = line.diverge().recording();
    expect(kept.events).toHaveLength(1);
    expect(replayed(kept)).toBe(new StateDigest(line.machine).compute());
  });

  test('of a trace that starts with such a state is kept too', () => {
    const line = Timeline.overTrace(timerGuest(3000), events.slice(), end);
    line.seek(5000);
    line.diverge().noteEdit();
    line.machine.cpu.core.physical.load(0x310000, Uint8Array.of(9));
    for (let step = 0; step < 2000; step++) line.step('forward');
    const { first, events: kept } = line.diverge().recording();
    const machine = timerGuest(3000);
    applyRecord(machine, first!);
    const again = Timeline.overTrace(machine, [...kept], kept.at(-1)!.at, { first });
    again.seek(6000);
    again.diverge().noteEdit();
    machine.cpu.core.physical.load(0x320000, Uint8Array.of(8));
    machine.cpu.core.physical.load(0x310000, Uint8Array.of(0));
    for (let step = 0; step < 500; step++) again.step('forward');
    const twice = again.diverge().recording();
    // The second change took the first back, so that page is as the images have it.
    expect([twice.first?.pages.has(0x320), twice.first?.pages.has(0x310)]).toEqual([true, false]);
    expect(replayed(twice)).toBe(new StateDigest(machine).compute());
  });
});
