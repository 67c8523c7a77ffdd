import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HostClock } from '../../src/replay/clock/host.js';
import type { LiveSource } from '../../src/replay/clock/live-source.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import { StateDigest } from '../../src/replay/digest.js';
import { type Divergence, formatDivergence } from '../../src/replay/divergence.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { StreamCursor } from '../../src/replay/event-cursor.js';
import { Replayer } from '../../src/replay/replayer.js';
import { bareGuest } from './bare-guest.js';
import { collectOutput, record, replayer } from './recording.js';
import { timerGuest } from './timer-guest.js';

/** A host whose time goes on by some microseconds at each look, unevenly. */
function unevenHost(): LiveSource {
  let time = 0;
  let looks = 0;
  const now = (): number => {
    looks += 1;
    time += ((looks * 7919) % 97) * 3000;
    return time;
  };
  return new HostClock({ now, epochSeconds: 1_700_000_000, skipsIdle: true });
}

const SOURCES: [string, () => LiveSource][] = [
  ['virtual', () => new VirtualClock()],
  ['host', unevenHost],
  ['random', () => new RandomClock(1234)],
];

describe('a replay', () => {
  test.each(SOURCES)('of a recording under the %s clock is the recorded run', (_name, source) => {
    const recording = record(timerGuest(), source(), { serial: 'hello', maxInstructions: 900_000 });
    const machine = timerGuest();
    const output = collectOutput(machine);
    const replay = replayer(machine, recording.events);
    expect(replay.advance(Number.POSITIVE_INFINITY)).toBe('end');
    expect(replay.divergence).toBe(null);
    expect(replay.outcome).toEqual(recording.outcome);
    expect(machine.cpu.instant).toBe(recording.end);
    expect(output()).toBe(recording.output);
    expect(new StateDigest(machine).compute()).toBe(new StateDigest(recording.machine).compute());
  });

  test('stops exactly at the instants asked for, and is the same however it is cut up', () => {
    const { events, end } = record(timerGuest(3000), new RandomClock(8));
    fc.assert(
      fc.property(fc.array(fc.nat(end - 1), { maxLength: 20 }), (instants) => {
        const machine = timerGuest(3000);
        const replay = replayer(machine, events);
        for (const instant of instants.sort((a, b) => a - b)) {
          expect(replay.advance(instant)).toBe('until');
          expect(machine.cpu.instant).toBe(instant);
        }
        expect(replay.advance(Number.POSITIVE_INFINITY)).toBe('end');
        expect(replay.divergence).toBe(null);
      }),
      { numRuns: 20 },
    );
  });

  test('at an instant has the inputs of that instant injected: a pending interrupt is seen', () => {
    const { events } = record(timerGuest(), new RandomClock(8));
    const input = events.find((event) => event.kind === 'irq')!;
    const machine = timerGuest();
    replayer(machine, events).advance(input.at);
    expect([machine.cpu.instant, machine.pic.interruptPin]).toEqual([input.at, true]);
  });

  test('reads its events from a stream as it goes', () => {
    const { events, end } = record(timerGuest(), new RandomClock(8));
    let read = 0;
    const stream = (function* (): Generator<TraceEvent> {
      for (const event of events) {
        read += 1;
        yield event;
      }
    })();
    const machine = timerGuest();
    const replay = new Replayer(machine, new StreamCursor(stream), end);
    replay.attach();
    replay.advance(1000);
    expect(read).toBeLessThan(70);
    expect(replay.advance(Number.POSITIVE_INFINITY)).toBe('end');
    expect(replay.divergence).toBe(null);
  });

  test('takes injected exceptions and NMIs at their instants, one step each', () => {
    // INC EAX; JMP back, without an IDT: the exception is a triple fault.
    const events: TraceEvent[] = [
      { kind: 'exception', at: 10, vector: 6, errorCode: null },
      { kind: 'end', at: 11, outcome: { kind: 'shutdown' }, digest: '' },
    ];
    const machine = bareGuest(0x40, 0xeb, 0xfd);
    const replay = replayer(machine, events);
    expect(replay.advance(10)).toBe('until');
    expect(machine.cpu.core.state.reg32(0)).toBe(5);
    replay.advance(11);
    expect(machine.cpu.instant).toBe(11);
    expect(replay.divergence?.subsystem).toBe('digest');
  });

  test('of a trace without an end stops at the last instant that it covers', () => {
    const { events } = record(timerGuest(), new RandomClock(8));
    for (const count of [1, 2, 17, events.length - 1]) {
      const covered = events.slice(0, count);
      const last = covered.at(-1)!.at;
      const machine = timerGuest();
      const replay = replayer(machine, covered);
      expect(replay.advance(Number.POSITIVE_INFINITY)).toBe('end');
      expect([replay.outcome, replay.divergence]).toEqual([{ kind: 'incomplete' }, null]);
      expect(machine.cpu.instant).toBe(last);
    }
  });
});

describe('a replay diverges', () => {
  const { events, end } = record(timerGuest(3000), new VirtualClock(), { serial: 'xy' });

  function replayOf(change: (events: TraceEvent[]) => void): Divergence | null {
    const changed = events.slice();
    change(changed);
    const replay = replayer(timerGuest(3000), changed);
    replay.advance(Number.POSITIVE_INFINITY);
    return replay.divergence;
  }
  const place = (kind: TraceEvent['kind'], from = 0): number =>
    events.findIndex((event, index) => index >= from && event.kind === kind);
  const replaceAt =
    (index: number, fields: object) =>
    (list: TraceEvent[]): void => {
      list[index] = { ...list[index], ...fields };
    };

  test('nowhere, when nothing was changed', () => {
    expect(replayOf(() => undefined)).toBe(null);
  });

  test('at an interrupt that is taken with another CPL than recorded', () => {
    const index = place('accept', 20);
    expect(replayOf(replaceAt(index, { cpl: 3 }))).toMatchObject({
      instant: events[index].at,
      subsystem: 'irq',
    });
  });

  test('at a clock read that the trace has at another instant', () => {
    const index = place('clock', 20);
    const { at } = events[index];
    expect(replayOf(replaceAt(index, { at: at + 1 }))).toMatchObject({
      instant: at,
      subsystem: 'clock',
    });
  });

  test('at an effect that the trace has and the replay lacks', () => {
    const accept = events[place('accept', 20)];
    const at = accept.at + 20;
    const divergence = replayOf((list) =>
      list.splice(place('accept', 20) + 1, 0, { ...accept, at }),
    );
    expect(divergence).toMatchObject({ instant: at, subsystem: 'irq', found: 'none' });
  });

  test('at an effect that the replay has and the trace lacks', () => {
    const index = place('accept', 20);
    const divergence = replayOf((list) => void list.splice(index, 1));
    expect(divergence).toMatchObject({ instant: events[index].at, subsystem: 'irq' });
    expect(divergence?.found).toMatch(/^IRQ 0 taken/);
  });

  test('at an interrupt that is not taken, as its cause is missing', () => {
    const index = place('irq', 20);
    const divergence = replayOf((list) => void list.splice(index, 1));
    expect(divergence?.instant).toBe(events[index].at);
    expect(divergence?.expected).toMatch(/^IRQ 0 taken/);
  });

  test('at the next digest, when a clock showed another value', () => {
    const index = events.findIndex((event) => event.kind === 'clock' && event.source === 'tsc');
    const divergence = replayOf(replaceAt(index, { value: 12_345_678 }));
    expect(divergence).toMatchObject({ instant: end, subsystem: 'digest' });
  });

  test('at a digest that differs', () => {
    expect(replayOf(replaceAt(0, { digest: '00'.repeat(16) }))).toMatchObject({
      instant: 0,
      subsystem: 'digest',
      expected: '00'.repeat(16),
    });
  });

  test('at an end that the guest does not come to', () => {
    const outcome = { kind: 'halted' } as const;
    expect(replayOf((list) => replaceAt(list.length - 1, { outcome })(list))).toMatchObject({
      instant: end,
      subsystem: 'end',
    });
  });

  test('where the machine stops and the trace goes on', () => {
    const divergence = replayOf((list) => replaceAt(list.length - 1, { at: end + 100 })(list));
    expect(divergence).toMatchObject({ instant: end, subsystem: 'cpu' });
    expect(formatDivergence(divergence!)).toBe(
      `diverged at @${end} (cpu): expected the end (exit) at @${end + 100}, found the machine stopped (exit)`,
    );
  });
});
