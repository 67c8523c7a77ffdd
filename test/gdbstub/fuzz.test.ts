import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { fuzzSessions } from './fuzz.js';
import { WINDOW_IMAGE, windowTimeline } from './guests.js';

test('a client that sends anything is answered, and so is the next one (the long run is in test/slow)', () => {
  const { timeline, symbols } = windowTimeline(40_000);
  const image = { name: 'window.elf', bytes: readFileSync(WINDOW_IMAGE) };
  const target = new TimelineTarget(timeline, { symbols, image, saveTrace: () => 'kept' });
  const result = fuzzSessions(target, 7, { packets: 5000, sessions: 100 });
  expect(result.packets).toBeGreaterThanOrEqual(5000);
  expect(timeline.isDiverted).toBe(false);
});
