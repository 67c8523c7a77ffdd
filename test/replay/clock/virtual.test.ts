import { describe, expect, test } from 'vitest';
import { nanosecondsOfPitTick } from '../../../src/replay/clock/guest-time.js';
import { VirtualClock } from '../../../src/replay/clock/virtual.js';
import type { ClockEvent, IrqEvent, TraceEvent } from '../../../src/replay/event.js';
import { bareGuest } from '../bare-guest.js';
import { record } from '../recording.js';
import { timerGuest } from '../timer-guest.js';

const isTimer = (event: TraceEvent): event is IrqEvent => event.kind === 'irq' && event.line === 0;
const isClock = (event: TraceEvent): event is ClockEvent => event.kind === 'clock';
/** MOV AL, imm8; OUT imm8, AL. */
const out = (port: number, value: number): number[] => [0xb0, value, 0xe6, port];

describe('the virtual clock', () => {
  test('a run repeats without a trace', () => {
    expect(record(timerGuest(), new VirtualClock()).events).toEqual(
      record(timerGuest(), new VirtualClock()).events,
    );
  });

  test('the time-stamp counter counts retired instructions', () => {
    // NOP; RDTSC; NOP; NOP; RDTSC; HLT
    const { events } = record(
      bareGuest(0x90, 0x0f, 0x31, 0x90, 0x90, 0x0f, 0x31, 0xf4),
      new VirtualClock(),
    );
    expect(events.filter(isClock).map(({ at, value }) => [at, value])).toEqual([
      [1, 1],
      [4, 4],
    ]);
  });

  test('an edge comes at the first boundary at which the 8254 has counted down', () => {
    // The count 100 in mode 2, then INC EAX; JMP back: one retired instruction a step.
    const bytes = [...out(0x43, 0x34), ...out(0x40, 100), ...out(0x40, 0), 0x40, 0xeb, 0xfd];
    const { events } = record(bareGuest(...bytes), new VirtualClock(), { maxInstructions: 50_000 });
    const [loaded] = events.filter(isClock);
    // CE takes the count on the tick after the one at which it was written.
    const expected = [100, 200, 300, 400].map((ticks) =>
      Math.ceil(nanosecondsOfPitTick(loaded.value + 1 + ticks) / 10),
    );
    expect(
      events
        .filter(isTimer)
        .slice(0, 4)
        .map(({ at }) => at),
    ).toEqual(expected);
  });

  test('iterations of REP take no time', () => {
    // MOV ECX, 100000; MOV EDI, 8000h; REP STOSB; RDTSC; HLT
    const bytes = [0xb9, 0xa0, 0x86, 1, 0, 0xbf, 0, 0x80, 0, 0, 0xf3, 0xaa, 0x0f, 0x31, 0xf4];
    const { events } = record(bareGuest(...bytes), new VirtualClock());
    expect(events.filter(isClock).map(({ at, value }) => [at, value])).toEqual([[100_002, 3]]);
  });

  test('a halted guest sleeps through to the next edge in no step at all', () => {
    const { events } = record(timerGuest(), new VirtualClock());
    const edges = events.filter(isTimer);
    const accepts = events.filter((event) => event.kind === 'accept' && event.line === 0);
    // 425 ticks are 356187 ns. Where the guest halted in between, fewer instructions lie there.
    const gaps = edges.slice(1).map(({ at }, index) => at - edges[index].at);
    expect(Math.min(...gaps)).toBeLessThan(30_000);
    expect(Math.max(...gaps)).toBeGreaterThan(35_000);
    expect(accepts.length).toBe(edges.length);
  });

  test('a timer that the guest stopped gives no edge', () => {
    // Count 1000 in mode 2, a control word for mode 0 that stops it, and a loop.
    const load = [...out(0x43, 0x34), ...out(0x40, 0xe8), ...out(0x40, 3)];
    const bytes = [...load, ...out(0x43, 0x30), 0x40, 0xeb, 0xfd];
    const { events } = record(bareGuest(...bytes), new VirtualClock(), {
      maxInstructions: 500_000,
    });
    expect(events.filter(isTimer)).toEqual([]);
  });
});
