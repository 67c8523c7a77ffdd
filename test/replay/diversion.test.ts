import { describe, expect, test } from 'vitest';
import { nanosecondsOfPitTick } from '../../src/replay/clock/guest-time.js';
import { Diversion, timeAfter } from '../../src/replay/diversion.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { bareGuest } from './bare-guest.js';

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
