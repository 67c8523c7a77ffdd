import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { fuzzSessions } from '../gdbstub/fuzz.js';
import { WINDOW_IMAGE, windowTimeline } from '../gdbstub/guests.js';

test('1,000,000 packets in 10,000 sessions: no crash, no hang, bounded memory', {
  timeout: 3_600_000,
}, () => {
  const { timeline, symbols } = windowTimeline(40_000);
  const image = { name: 'window.elf', bytes: readFileSync(WINDOW_IMAGE) };
  const target = new TimelineTarget(timeline, { symbols, image, saveTrace: () => 'kept' });
  const before = process.memoryUsage().rss;
  const began = performance.now();
  let packets = 0;
  let sessions = 0;
  let mostSent = 0;
  for (let seed = 1; packets < 1_000_000 || sessions < 10_000; seed++) {
    const result = fuzzSessions(target, seed, { packets: 50_000, sessions: 500 });
    packets += result.packets;
    sessions += result.sessions;
    mostSent = Math.max(mostSent, result.mostSent);
  }
  const seconds = (performance.now() - began) / 1000;
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  console.log(
    `${packets} packets, ${sessions} sessions, ${seconds.toFixed(0)} s, ` +
      `at most ${mostSent} bytes sent in one, memory grew by ${grown.toFixed(0)} MiB`,
  );
  expect(grown).toBeLessThan(1024);
});
