import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RandomClock } from '../../src/replay/clock/random.js';
import { StateDigest } from '../../src/replay/digest.js';
import type { TraceEvent } from '../../src/replay/event.js';
import {
  type Direction,
  type Stop,
  type StopConditions,
  Timeline,
} from '../../src/replay/timeline.js';
import type { WatchAccess } from '../../src/replay/watch-set.js';
import { bareGuest } from './bare-guest.js';
import { record } from './recording.js';
import { SYMBOLS, timerGuest } from './timer-guest.js';

const ROUNDS = 6000;
const recording = record(timerGuest(ROUNDS), new RandomClock(21), { serial: 'ab' });
const { events, end } = recording;
const EXIT = { kind: 'end', outcome: recording.outcome };

function timeline(): { readonly line: Timeline; readonly digest: () => string } {
  const line = Timeline.overTrace(timerGuest(ROUNDS), events.slice(), end);
  const digest = new StateDigest(line.machine);
  return { line, digest: () => digest.compute() };
}

/** Drives a continue to its stop; how often it yielded is of no interest here. */
function run(line: Timeline, direction: Direction, stops: Partial<StopConditions>): Stop {
  const motion = line.continue(direction, { breakpoints: new Set(), watchpoints: [], ...stops });
  for (;;) {
    const step = motion.next();
    if (step.done === true) return step.value;
  }
}

const at = (address: number): Partial<StopConditions> => ({ breakpoints: new Set([address]) });
const watch = (access: WatchAccess): Partial<StopConditions> => ({
  watchpoints: [{ address: SYMBOLS.ticks, length: 4, access }],
});

/** The instants of all stops in a direction, up to the last instant there. */
function allStops(line: Timeline, direction: Direction, stops: Partial<StopConditions>): number[] {
  const found: number[] = [];
  for (;;) {
    const { kind } = run(line, direction, stops);
    if (kind === 'begin' || kind === 'end') return found;
    found.push(line.instant);
    // As gdb does: going forward it steps off a breakpoint first.
    if (kind === 'breakpoint' && direction === 'forward') line.step('forward');
  }
}

describe('seek', () => {
  test('an instant has one state, wherever one comes from', () => {
    const { line, digest } = timeline();
    const states = new Map<number, string>();
    fc.assert(
      fc.property(fc.nat(end), (instant) => {
        expect(line.seek(instant)).toEqual({ kind: 'instant' });
        expect(line.instant).toBe(instant);
        const known = states.get(instant);
        if (known !== undefined) expect(digest()).toBe(known);
        states.set(instant, digest());
      }),
      { numRuns: 100 },
    );
    for (const [instant, state] of states) {
      line.seek(instant);
      expect(digest()).toBe(state);
    }
  });

  test('gets the state that a plain run has there', () => {
    const { line, digest } = timeline();
    const plain = timeline();
    line.seek(end);
    for (const instant of [1, 999, 30_000, 77_777]) {
      line.seek(instant);
      plain.line.seek(instant);
      expect(digest()).toBe(plain.digest());
    }
  });

  test('beyond either end stops there', () => {
    const { line } = timeline();
    expect(line.seek(end + 1000)).toEqual(EXIT);
    expect(line.instant).toBe(end);
    expect(line.seek(-5)).toEqual({ kind: 'begin' });
    expect(line.instant).toBe(0);
    expect(line.end).toBe(end);
  });
});

describe('walk', () => {
  test('comes by every instant, in the states that steps have there', () => {
    const { line, digest } = timeline();
    const stepped = timeline();
    const first = events.filter((event) => event.kind === 'accept')[3].at - 30;
    line.seek(first);
    stepped.line.seek(first);
    const instants: number[] = [];
    line.walk(first + 60, () => {
      instants.push(line.instant);
      stepped.line.step('forward');
      expect(digest()).toBe(stepped.digest());
    });
    expect(instants).toEqual(Array.from({ length: 60 }, (_, step) => first + 1 + step));
  });

  test('ends where the past does', () => {
    const { line } = timeline();
    line.seek(end - 5);
    let visits = 0;
    line.walk(end + 100, () => {
      visits += 1;
    });
    expect(visits).toBe(5);
    expect(line.instant).toBe(end);
  });
});

describe('step', () => {
  test('backward is the inverse of forward, across interrupts, HLT and REP', () => {
    const { line, digest } = timeline();
    const accepts = events.filter((event) => event.kind === 'accept').map((event) => event.at);
    expect(accepts.length).toBeGreaterThan(6);
    for (const around of [accepts[2], accepts[4], accepts.at(-1)!]) {
      line.seek(around - 40);
      const states: string[] = [];
      for (let step = 0; step < 80; step++) {
        states.push(digest());
        expect(line.step('forward')).toEqual({ kind: 'instant' });
      }
      for (const state of states.reverse()) {
        expect(line.step('backward')).toEqual({ kind: 'instant' });
        expect(digest()).toBe(state);
      }
    }
  });

  test('goes no further than the ends', () => {
    const { line } = timeline();
    expect(line.step('backward')).toEqual({ kind: 'begin' });
    line.seek(end);
    expect(line.step('forward')).toEqual(EXIT);
    expect(line.instant).toBe(end);
    expect(line.step('backward')).toEqual({ kind: 'instant' });
    expect(line.instant).toBe(end - 1);
  });

  test('reports a watched access of its one instruction in both directions', () => {
    const { line } = timeline();
    run(line, 'forward', watch('write'));
    const after = line.instant;
    const { watchpoints } = { watchpoints: [], ...watch('write') };
    const stop = { kind: 'watchpoint', address: SYMBOLS.ticks, access: 'write' };
    expect(line.step('backward', watchpoints)).toEqual(stop);
    expect(line.instant).toBe(after - 1);
    expect(line.step('backward', watchpoints)).toEqual({ kind: 'instant' });
    expect(line.step('forward', watchpoints)).toEqual({ kind: 'instant' });
    expect(line.step('forward', watchpoints)).toEqual(stop);
    expect(line.instant).toBe(after);
  });
});

describe('continue', () => {
  test('meets the same breakpoints backward as forward', () => {
    const { line } = timeline();
    const forward = allStops(line, 'forward', at(SYMBOLS.irq0));
    const backward = allStops(line, 'backward', at(SYMBOLS.irq0));
    expect(forward.length).toBe(
      events.filter((event) => event.kind === 'accept' && event.line === 0).length,
    );
    expect(backward.reverse()).toEqual(forward);
    expect(line.instant).toBe(0);
  });

  test('forward a breakpoint at the present EIP stops at once, backward it is passed over', () => {
    const { line } = timeline();
    const stop = { kind: 'breakpoint', linear: SYMBOLS.irq0 };
    expect(run(line, 'forward', at(SYMBOLS.irq0))).toEqual(stop);
    const first = line.instant;
    expect(run(line, 'forward', at(SYMBOLS.irq0))).toEqual(stop);
    expect(line.instant).toBe(first);
    expect(run(line, 'backward', at(SYMBOLS.irq0))).toEqual({ kind: 'begin' });
    expect(line.instant).toBe(0);
  });

  test.each(['write', 'read', 'access'] as const)(
    'stops after a watched %s going forward, and before it going backward',
    (access) => {
      const { line } = timeline();
      const forward = allStops(line, 'forward', watch(access));
      const backward = allStops(line, 'backward', watch(access));
      // IRQ 0 increments the word; a round in eight reads it.
      const interrupts = events.filter(
        (event) => event.kind === 'accept' && event.line === 0,
      ).length;
      const reads = ROUNDS / 8;
      const expected = { write: interrupts, read: interrupts + reads, access: interrupts + reads };
      expect(forward.length).toBe(expected[access]);
      expect(backward.reverse()).toEqual(forward.map((instant) => instant - 1));
    },
  );

  test('backward finds a breakpoint right behind a watched access, and then the access', () => {
    const { line } = timeline();
    const both = { ...watch('write'), ...at(SYMBOLS.afterTick) };
    run(line, 'forward', watch('write'));
    const after = line.instant;
    line.seek(after + 20);
    expect(run(line, 'backward', both).kind).toBe('breakpoint');
    expect(line.instant).toBe(after);
    expect(run(line, 'backward', both).kind).toBe('watchpoint');
    expect(line.instant).toBe(after - 1);
  });

  test('with nothing to stop it comes to the ends', () => {
    const { line } = timeline();
    expect(run(line, 'forward', {})).toEqual(EXIT);
    expect(line.instant).toBe(end);
    expect(run(line, 'backward', {})).toEqual({ kind: 'begin' });
    expect(line.instant).toBe(0);
  });

  test('leaves the timeline at a valid instant when its caller returns it early', () => {
    for (const direction of ['forward', 'backward'] as const) {
      const { line, digest } = timeline();
      line.seek(50_000);
      // A breakpoint that is met often makes each direction yield.
      const motion = line.continue(direction, {
        breakpoints: new Set(),
        watchpoints: [{ address: 0, length: 0x10000, access: 'write' }],
      });
      motion.next();
      motion.return({ kind: 'interrupted' });
      const { instant } = line;
      const state = digest();
      line.seek(end);
      line.seek(instant);
      expect(digest()).toBe(state);
      expect(line.machine.cpu.accessWatch).toBe(null);
      expect(line.machine.cpu.breakpoints.size).toBe(0);
    }
  });

  test('stops at a divergence, from where only going back leads on', () => {
    const index = events.findIndex((event) => event.kind === 'accept' && event.at > 50_000);
    const broken = events.map((event, place) =>
      place === index ? ({ ...event, cpl: 3 } as TraceEvent) : event,
    );
    const line = Timeline.overTrace(timerGuest(ROUNDS), broken, end);
    const stop = run(line, 'forward', {});
    expect(stop).toMatchObject({ kind: 'divergence', divergence: { instant: events[index].at } });
    expect(line.step('forward').kind).toBe('divergence');
    expect(line.seek(100)).toEqual({ kind: 'instant' });
    expect(line.step('forward')).toEqual({ kind: 'instant' });
  });
});

describe('a timeline over a trace without an end', () => {
  test('ends where the trace does, incomplete', () => {
    const covered = events.slice(0, events.length >> 1);
    const last = covered.at(-1)!.at;
    const line = Timeline.overTrace(timerGuest(ROUNDS), covered, last);
    expect(run(line, 'forward', {})).toEqual({ kind: 'end', outcome: { kind: 'incomplete' } });
    expect(line.instant).toBe(last);
    line.seek(last - 100);
    expect(line.seek(last).kind).toBe('instant');
  });
});

describe('a live timeline', () => {
  test('records what an undisturbed run would have been, whatever one looks at on the way', () => {
    const quiet = record(timerGuest(ROUNDS), new RandomClock(21));
    const line = Timeline.live(timerGuest(ROUNDS), new RandomClock(21));
    const digest = new StateDigest(line.machine);
    const states = new Map<number, string>();
    for (const instant of [40_000, 100, 40_001, 39_000, 70_000, 0, 69_999]) {
      line.seek(instant);
      states.set(instant, digest.compute());
      line.step('backward');
      line.step('forward');
    }
    expect(line.end).toBe(null);
    run(line, 'forward', at(SYMBOLS.irq0));
    run(line, 'backward', watch('write'));
    expect(run(line, 'forward', {})).toEqual({ kind: 'end', outcome: quiet.outcome });
    expect(line.events(0, end * 2)).toEqual(quiet.events);
    expect(line.end).toBe(quiet.end);
    for (const [instant, state] of states) {
      line.seek(instant);
      expect(digest.compute()).toBe(state);
    }
  });

  test('sends each byte of output once', () => {
    const line = Timeline.live(timerGuest(ROUNDS), new RandomClock(21));
    const output: number[] = [];
    line.onSerialOutput = (byte) => output.push(byte);
    line.seek(60_000);
    line.seek(0);
    line.seek(90_000);
    run(line, 'backward', {});
    run(line, 'forward', {});
    expect(String.fromCharCode(...output)).toBe(
      record(timerGuest(ROUNDS), new RandomClock(21)).output,
    );
  });

  test('of a guest that waits for its user goes on when bytes come', () => {
    // STI; HLT, with every line masked.
    const line = Timeline.live(bareGuest(0xfb, 0xf4), new RandomClock(1), { awaitsSerial: true });
    line.seek(2);
    expect(line.step('forward')).toEqual({ kind: 'interrupted' });
    const motion = line.continue('forward', { breakpoints: new Set(), watchpoints: [] });
    expect(motion.next().done).toBe(false);
    line.session!.awaitsSerial = false;
    expect(motion.next()).toEqual({
      done: true,
      value: { kind: 'end', outcome: { kind: 'halted' } },
    });
  });
});

describe('a diversion', () => {
  test('is thrown away by a seek, which finds the recorded state again', () => {
    const { line, digest } = timeline();
    line.seek(50_000);
    const state = digest();
    line.seek(50_300);
    const later = digest();
    line.seek(50_000);
    line.diverge();
    line.machine.cpu.core.physical.write(SYMBOLS.ticks, 4, 12345);
    line.machine.cpu.core.state.setReg32(3, 7);
    expect(line.isDiverted).toBe(true);
    expect(digest()).not.toBe(state);
    for (let step = 0; step < 300; step++) line.step('forward');
    expect(line.instant).toBe(50_300);
    expect(line.seek(50_300)).toEqual({ kind: 'instant' });
    expect([line.isDiverted, digest()]).toEqual([false, later]);
    line.seek(50_000);
    expect(digest()).toBe(state);
  });

  test('ends where it began when one goes back', () => {
    for (const back of [
      (line: Timeline) => line.step('backward'),
      (line: Timeline) => run(line, 'backward', at(SYMBOLS.irq0)),
    ]) {
      const { line, digest } = timeline();
      line.seek(50_000);
      const state = digest();
      line.diverge();
      line.machine.cpu.core.state.setReg32(3, 7);
      line.step('forward');
      back(line);
      expect(line.isDiverted).toBe(false);
      expect(line.instant).toBeLessThanOrEqual(50_000);
      line.seek(50_000);
      expect(digest()).toBe(state);
    }
  });

  test('runs without the recorded events, with a timer of its own', () => {
    const { line } = timeline();
    line.seek(50_000);
    line.diverge();
    // The guest's rounds start over, so that it runs on beyond its recorded end.
    line.machine.cpu.core.state.setReg32(3, 0);
    line.machine.cpu.core.physical.write(SYMBOLS.ticks, 4, 0);
    const stop = run(line, 'forward', {});
    expect(stop).toEqual(EXIT);
    expect(line.instant).toBeGreaterThan(end);
    const ticks = line.machine.cpu.core.physical.read(SYMBOLS.ticks, 4);
    // A tick every 35600 instructions or sooner, as the guest halts now and then.
    expect(ticks).toBeGreaterThan(2);
    expect(ticks).toBeLessThan(20);
    expect(line.seek(end)).toEqual({ kind: 'instant' });
  });
});

describe('events', () => {
  test('of a range are those at both of its ends and between', () => {
    const { line } = timeline();
    const inputs = events.filter((event) => event.kind === 'irq');
    const [from, to] = [inputs[2].at, inputs[5].at];
    expect(line.events(from, to)).toEqual(
      events.filter((event) => event.at >= from && event.at <= to),
    );
    expect(line.events(to + 1, to)).toEqual([]);
  });
});
