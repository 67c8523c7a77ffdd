/**
 * Ctrl-C is heard between two slices. What counts is how many steps a slice, or the way to a whole instant
 * after the interruption, may take: a time would tell of the machine that the test runs on.
 */
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/gdbstub/bytes.js';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { Timeline } from '../../src/replay/timeline.js';
import { countSteps, record } from '../replay/recording.js';
import { SYMBOLS, timerGuest } from '../replay/timer-guest.js';
import { TestClient } from './test-client.js';

const ROUNDS = 100_000;
const { events, end } = record(timerGuest(ROUNDS), new RandomClock(4));

/** 45 million steps a second, the slowest that a processor here runs, are 2.2 million in 50 ms. */
const MOST_STEPS = 1_500_000;

const monitor = (command: string): string => `qRcmd,${toHex(Buffer.from(command))}`;
const watch = `Z2,${(0x700000).toString(16)},4`;
/** Never: the byte code is "constant 0, end". */
const never = `Z0,${SYMBOLS.round.toString(16)},1;X3,220027`;

/** A client, and how many steps were run since the last call of `steps`. */
function connect(): { client: TestClient; timeline: Timeline; steps: () => number } {
  const machine = timerGuest(ROUNDS);
  const ran = countSteps(machine);
  let before = 0;
  const timeline = Timeline.overTrace(machine, events.slice(), end);
  const steps = (): number => {
    const taken = ran() - before;
    before += taken;
    return taken;
  };
  return { client: new TestClient(new TimelineTarget(timeline)), timeline, steps };
}

/** What a client says before, what takes long, and where that starts. */
const cases: [string, string[], string, 'begin' | 'end'][] = [
  ['a continue', [], 'c', 'begin'],
  ['a continue past a condition that is never met', [never], 'c', 'begin'],
  ['a continue with a watchpoint', [watch], 'c', 'begin'],
  ['monitor aim and continue', [monitor('aim end')], 'c', 'begin'],
  ['monitor seek', [], monitor('seek end'), 'begin'],
  ['a reverse-continue', [], 'bc', 'end'],
  ['a reverse-continue past a condition that is never met', [never], 'bc', 'end'],
  ['a reverse-continue with a watchpoint', [watch], 'bc', 'end'],
  ['monitor last-write', [], monitor('last-write 0x700000'), 'end'],
];

describe('Ctrl-C', () => {
  test.each(cases)('in %s is heard soon, wherever it comes', (_, before, motion, start) => {
    for (const patience of [1, 5]) {
      const { client, timeline, steps } = connect();
      if (start === 'end') timeline.seek(end);
      for (const packet of before) expect(client.reply(packet)).not.toMatch(/^E/);
      client.replies();
      steps();
      client.send(motion);
      expect(steps()).toBeLessThan(MOST_STEPS);
      for (let slice = 0; slice < patience && client.tasks.length > 0; slice++) {
        client.tasks.shift()?.();
        expect(steps()).toBeLessThan(MOST_STEPS);
      }
      // It would go on: the recording is long enough for that.
      expect(client.tasks.length).toBe(1);
      client.interrupt();
      expect(steps()).toBeLessThan(MOST_STEPS);
      const answer = client.replies().at(-1);
      expect(answer).toMatch(motion.startsWith('q') ? /^OK$/ : /^T02/);
      const { instant } = timeline;
      client.runToStop();
      expect(timeline.instant).toBe(instant);
      expect(client.reply('s')).toMatch(/^T05/);
    }
  });

  test('says how far it was: a seek over a long way prints its progress', () => {
    const { client } = connect();
    client.reply(monitor('aim end'));
    const said = client.ask('c');
    expect(said.at(-1)).toMatch(/^T00/);
    const lines = said.filter((reply) => /^O[\da-f]+$/.test(reply));
    const text = lines.map((line) => Buffer.from(line.slice(1), 'hex').toString()).join('');
    expect(text).toMatch(/^@\d+ of @\d+\n/);
  });
});
