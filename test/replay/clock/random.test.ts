import { describe, expect, test } from 'vitest';
import { RandomClock } from '../../../src/replay/clock/random.js';
import { VirtualClock } from '../../../src/replay/clock/virtual.js';
import type { IrqEvent, TraceEvent } from '../../../src/replay/event.js';
import { isEdgeInstruction } from '../../../src/replay/interrupt-edge.js';
import { type Recording, record, replayer } from '../recording.js';
import { timerGuest } from '../timer-guest.js';

const isTimer = (event: TraceEvent): event is IrqEvent => event.kind === 'irq' && event.line === 0;
const timers = ({ events }: Recording): number[] => events.filter(isTimer).map(({ at }) => at);
/** Values of the time-stamp counter, which runs at 100 MHz. */
const clocks = ({ events }: Recording): number[] =>
  events.flatMap((event) =>
    event.kind === 'clock' && event.source === 'tsc' ? [event.value] : [],
  );

describe('the random clock', () => {
  test('a seed gives the same run again, however it is sliced', () => {
    const whole = record(timerGuest(), new RandomClock(5));
    expect(record(timerGuest(), new RandomClock(5)).events).toEqual(whole.events);
    expect(record(timerGuest(), new RandomClock(5), { slice: 131 }).events).toEqual(whole.events);
  });

  test('another seed moves the interrupts', () => {
    const one = new Set(timers(record(timerGuest(), new RandomClock(1))));
    const other = timers(record(timerGuest(), new RandomClock(2)));
    const shared = other.filter((at) => one.has(at)).length;
    expect(shared).toBeLessThan(other.length / 2);
  });

  test('on average as many interrupts come as the guest programmed', () => {
    const recording = record(timerGuest(100_000), new RandomClock(3));
    const microseconds = clocks(recording).at(-1)! / 100;
    const programmed = microseconds / 356.2;
    expect(programmed).toBeGreaterThan(80);
    expect(Math.abs(timers(recording).length - programmed)).toBeLessThan(programmed / 20);
  });

  test('the guest reads the same time as under the virtual clock, up to what handlers take', () => {
    const plain = clocks(record(timerGuest(), new VirtualClock()));
    const random = clocks(record(timerGuest(), new RandomClock(3)));
    expect(random.length).toBe(plain.length);
    // Before the first HLT nothing but the handlers' few instructions differs.
    for (let index = 0; index < 3; index++) {
      expect(Math.abs(random[index] - plain[index])).toBeLessThan(100);
    }
  });

  test('a good part of the interrupts comes next to an edge of an interrupt window', () => {
    const recording = record(timerGuest(100_000), new RandomClock(11));
    const machine = timerGuest(100_000);
    const replay = replayer(machine, recording.events);
    let isNear = 0;
    const instants = timers(recording).filter((at) => at > 2);
    for (const at of instants) {
      let isEdge = false;
      for (let instant = at - 2; instant <= at; instant++) {
        replay.advance(instant);
        if (isEdgeInstruction(machine)) isEdge = true;
      }
      if (isEdge) isNear += 1;
    }
    // Three instructions in a row of this guest's round hold an edge with a chance of some 5 %.
    expect(isNear / instants.length).toBeGreaterThan(0.3);
  });
});
