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

/** A session under a host whose time the test sets. */
function hosted(
  machine: Machine,
  skipsIdle = false,
): {
  readonly session: Session;
  readonly events: TraceEvent[];
  readonly clock: HostClock;
  time: number;
} {
  const events: TraceEvent[] = [];
  const recorder = new Recorder(machine, { event: (event) => events.push(event) });
  const host = { time: 5_000_000_000, events };
  const clock = new HostClock({ now: () => host.time, epochSeconds: 1_000_000_000, skipsIdle });
  const session = new Session(machine, clock, { recorder });
  return Object.assign(host, { session, clock });
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
  test('starts at zero and shows the time that has passed', () => {
    const host = hosted(bareGuest(...READ_TSC));
    host.session.slice(1);
    host.time += 777;
    host.session.slice(2);
    expect(clockValues(host.events)).toEqual([0, 777]);
  });

  test('never goes backward, even where the time of the host does', () => {
    const host = hosted(bareGuest(...READ_TSC));
    host.time += 1000;
    host.session.slice(2);
    host.time -= 600;
    host.session.slice(2);
    host.time += 700;
    host.session.slice(2);
    expect(clockValues(host.events)).toEqual([1000, 1000, 1100]);
  });

  test('edges that were missed are made up for by one', () => {
    const host = hosted(bareGuest(...COUNT_UP));
    host.session.slice(10);
    // The firmware's timer has a period of 55 ms.
    host.time += 1000 * MILLISECOND;
    for (let slice = 0; slice < 5; slice++) host.session.slice(100_000);
    expect(edges(host.events)).toBe(1);
    host.time += 55 * MILLISECOND;
    for (let slice = 0; slice < 5; slice++) host.session.slice(100_000);
    expect(edges(host.events)).toBe(2);
  });

  test('an input that comes due after an instant was shown belongs to the next one', () => {
    const host = hosted(bareGuest(...COUNT_UP));
    host.session.advance(10);
    host.time += 60 * MILLISECOND;
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
    // The guest's timer has a period of 425 ticks, and a tick passes before it starts.
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThan(nanosecondsOfPitTick(427));
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

  test('time stands still while it is paused', () => {
    const host = hosted(bareGuest(...READ_TSC));
    host.time += 100;
    host.session.slice(2);
    host.session.pause();
    host.time += 1_000_000;
    host.session.resume();
    host.time += 50;
    host.session.slice(2);
    expect(clockValues(host.events)).toEqual([100, 150]);
  });
});
