/**
 * Whole sessions with the real gdb, word for word. Those named live-* are about what gdb's own tests of
 * reverse debugging are about, on a program that runs live and is recorded as it goes; so does that of those
 * named modes-*.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { setUp } from '../../src/cli/machine-setup.js';
import { startFromTrace } from '../../src/cli/trace-images.js';
import { type TargetSurroundings, TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { loadImage } from '../../src/machine/loaders/image.js';
import { Machine } from '../../src/machine/machine.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import { Timeline } from '../../src/replay/timeline.js';
import { readTrace } from '../../src/replay/trace-format.js';
import { WINDOW_IMAGE, windowTimeline } from './guests.js';
import { gdbVersion, hasTranscriptGdb, rehearse } from './transcript.js';

const FOLDER = new URL('transcripts/', import.meta.url).pathname;
const RACE = new URL('../../traces/sti-sysexit-padding/race.trace', import.meta.url).pathname;
const MANUAL = new URL('../../docs/gdb.md', import.meta.url).pathname;
const PROGRAMS = new URL('programs/', import.meta.url).pathname;

function liveTarget(name: string): TimelineTarget {
  const machine = new Machine({ memoryBytes: 4 << 20 });
  const image = { name, bytes: readFileSync(`${PROGRAMS}${name}`) };
  const { symbols } = loadImage(machine, image, {});
  return new TimelineTarget(Timeline.live(machine, new VirtualClock()), { symbols, image });
}

function targetFor(transcript: string): TimelineTarget {
  if (transcript.startsWith('live-')) return liveTarget('reverse.elf');
  return transcript.startsWith('modes-') ? liveTarget('modes.elf') : windowTarget();
}

/** The recorded race that the manual takes apart. */
function raceTarget(): TimelineTarget {
  const trace = readTrace(readFileSync(RACE));
  const start = startFromTrace(trace, RACE);
  const { machine, image } = setUp(start);
  const timeline = Timeline.overTrace(machine, [...trace.events], trace.lastInstant);
  const [kernel] = start.images;
  return new TimelineTarget(timeline, { symbols: image.symbols, image: kernel });
}

function windowTarget(): TimelineTarget {
  const { timeline, symbols } = windowTimeline(400_000);
  const image = { name: 'window.elf', bytes: readFileSync(WINDOW_IMAGE) };
  const surroundings: TargetSurroundings = { symbols, image };
  return new TimelineTarget(timeline, surroundings);
}

if (!hasTranscriptGdb) {
  console.warn(
    `gdb ${gdbVersion === 0 ? 'is not installed' : gdbVersion}: transcripts are of gdb 13, skipped`,
  );
}

describe.skipIf(!hasTranscriptGdb)('sessions of gdb 13 (skipped with another gdb)', () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

  test.each(names)('%s', { timeout: 120_000 }, async (name) => {
    const { said, written } = await rehearse(targetFor(name), `${FOLDER}${name}`);
    expect(said).toEqual(written);
    expect(said.length).toBeGreaterThan(3);
  });

  test('the race of docs/gdb.md is found in ten commands', { timeout: 120_000 }, async () => {
    const { said, written } = await rehearse(raceTarget(), MANUAL);
    expect(said).toEqual(written);
    expect(said).toHaveLength(10);
  });
});
