import { describe, expect, test } from 'vitest';
import type { Machine } from '../../../src/machine/machine.js';
import { nanosecondsOfPitTick } from '../../../src/replay/clock/guest-time.js';
import { HostClock } from '../../../src/replay/clock/host.js';
import type { TraceEvent } from '../../../src/replay/event.js';
import { Recorder } from '../../../src/replay/recorder.js';
import { Session } from '../../../src/replay/session.js';
import { bareGuest } from '../bare-guest.js';
import { timerGuest } from '../timer-guest.js';

const MILLISECOND = 1_000_000;
/** What the host's clock shows when a session begins. */
const START = 5_000_000_000;

/** A session under a host whose time the test sets. */
function hosted(
  machine: Machine,
  skipsIdle = false,
): {
  readonly session: Session;
  readonly events: TraceEvent[];
  readonly clock: HostClock;
  /** The time that the guest read last. */
  readonly shown: () => number;
  time: number;
} {
  const events: TraceEvent[] = [];
  const recorder = new Recorder(machine, { event: (event) => events.push(event) });
  const host = { time: START, events };
  const clock = new HostClock({ now: () => host.time, epochSeconds: 1_000_000_000, skipsIdle });
  const session = new Session(machine, clock, { recorder });
  const shown = (): number => clockValues(events).at(-1) ?? 0;
  return Object.assign(host, { session, clock, shown });
}

/** The guest works for so many thousands of steps, each of which takes the host so long. */
function work(host: ReturnType<typeof hosted>, thousands: number, nanoseconds: number): void {
  for (let slice = 0; slice < thousands; slice++) {
    host.session.slice(1000);
    host.time += 1000 * nanoseconds;
  }
}

const edges = (events: readonly TraceEvent[]): number =>
  events.filter((event) => event.kind === 'irq' && event.line === 0).length;
const clockValues = (events: readonly TraceEvent[]): number[] =>
  events.flatMap((event) => (event.kind === 'clock' ? [event.value] : []));

/** RDTSC; JMP back. */
const READ_TSC = [0x0f, 0x31, 0xeb, 0xfc];
/** INC EAX; JMP back. */
const COUNT_UP = [0x40, 0xeb, 0xfd];

describe('the host clock', () => {
  test('starts at zero, and goes on with the steps between two looks at the host', () => {
    const host = hosted(bareGuest(...READ_TSC));
    host.session.slice(6);
    const [first, second, third] = clockValues(host.events);
    expect(first).toBe(0);
    expect(second).toBeGreaterThan(first);
    expect(third - second).toBe(second - first);
  });

  test('follows the time of the host', () => {
    const host = hosted(bareGuest(...READ_TSC));
    work(host, 200, 50);
    expect(host.shown() / (200 * 1000 * 50)).toBeCloseTo(1, 1);
  });

  test('learns a new pace in a few looks', () => {
    const host = hosted(bareGuest(...READ_TSC));
    work(host, 100, 10);
    const before = host.shown();
    work(host, 100, 1000);
    const passed = host.shown() - before;
    expect(passed / (100 * 1000 * 1000)).toBeCloseTo(1, 1);
  });

  test('makes up for an interruption without a leap that a guest could measure', () => {
    const host = hosted(bareGuest(...READ_TSC));
    work(host, 50, 500);
    const start = host.events.length;
    host.time += 20 * MILLISECOND;
    work(host, 200, 500);
    const values = clockValues(host.events.slice(start));
    const strides = values.slice(1).map((value, at) => value - values[at]);
    // Two steps each, of 500 ns.
    expect(strides.reduce((most, stride) => Math.max(most, stride))).toBeLessThan(4 * 1000);
    expect(host.shown() / (host.time - START)).toBeCloseTo(1, 2);
  });

  test('leaps over a lag of more than a second', () => {
    const host = hosted(bareGuest(...READ_TSC));
    work(host, 10, 50);
    host.time += 1001 * MILLISECOND;
    work(host, 10, 50);
    expect(host.shown()).toBeGreaterThan(1000 * MILLISECOND);
  });

  test('never goes backward, even where the time of the host does', () => {
    const host = hosted(bareGuest(...READ_TSC));
    work(host, 50, 50);
    host.time -= 600_000;
    work(host, 50, 50);
    const values = clockValues(host.events);
    expect(values.toSorted((a, b) => a - b)).toEqual(values);
  });

  test('edges that were missed are made up for by one', () => {
    const host = hosted(bareGuest(...COUNT_UP));
    work(host, 10, 50);
    // The firmware's timer has a period of 55 ms.
    host.time += 1100 * MILLISECOND;
    work(host, 10, 50);
    expect(edges(host.events)).toBe(1);
    work(host, 1100, 50);
    expect(edges(host.events)).toBe(2);
  });

  test('an input that comes due after an instant was shown belongs to the next one', () => {
    const host = hosted(bareGuest(...COUNT_UP));
    host.session.advance(10);
    host.time += 1060 * MILLISECOND;
    host.session.advance(10);
    host.session.advance(11);
    expect(host.events.filter((event) => event.kind === 'irq').map(({ at }) => at)).toEqual([11]);
  });

  test('a halted guest waits for the next edge, and says how long', () => {
    const machine = timerGuest();
    const host = hosted(machine);
    let result;
    do {
      result = host.session.slice(1_000_000);
      if (result === 'running') host.time += 10_000;
    } while (result === 'running');
    expect(result).toBe('waiting');
    const { instant } = machine.cpu;
    const wait = host.session.waitNanoseconds;
    // The guest's timer has a period of 425 ticks, and a tick passes before it starts. At first guest
    // time may be ahead by what its first steps were taken to take.
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThan(nanosecondsOfPitTick(430));
    host.time += wait - 1;
    expect(host.session.slice(1)).toBe('waiting');
    expect(machine.cpu.instant).toBe(instant);
    host.time += 1;
    expect(host.session.slice(1)).toBe('running');
    expect(machine.cpu.instant).toBe(instant + 1);
  });

  test('for a debugger a halted guest sleeps through at once', () => {
    const host = hosted(timerGuest(2000), true);
    let result;
    do result = host.session.slice(1_000_000);
    while (result === 'running');
    expect(result).toMatchObject({ kind: 'exit' });
  });

  test.each([
    ['reads the timer goes on', [0xe4, 0x40, 0xeb, 0xfc], 'until'],
    ['reads port 61h goes on', [0xe4, 0x61, 0xeb, 0xfc], 'until'],
    ['programs the timer is stopped for its edges', [0xe6, 0x40, 0xeb, 0xfc], 'stopped'],
  ])('a guest that %s', (_, code, exit) => {
    const machine = bareGuest(...code);
    hosted(machine);
    expect(machine.run(100)).toBe(exit);
  });

  test('time stands still while it is paused', () => {
    const host = hosted(bareGuest(...READ_TSC));
    work(host, 400, 50);
    const before = host.shown();
    host.session.pause();
    host.time += 2000 * MILLISECOND;
    host.session.resume();
    work(host, 400, 50);
    expect((host.shown() - before) / (400 * 1000 * 50)).toBeCloseTo(1, 1);
  });
});
