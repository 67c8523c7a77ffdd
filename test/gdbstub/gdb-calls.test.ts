/** VMI calls as stops: `monitor calls on`, then SIGUSR1 behind each of them, in both directions. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { setUp } from '../../src/cli/machine-setup.js';
import { startFromTrace } from '../../src/cli/trace-images.js';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { Timeline } from '../../src/replay/timeline.js';
import { readTrace } from '../../src/replay/trace-format.js';
import { debug, hasGdb, printed } from './real-gdb.js';

const PATH = new URL('../../traces/vmi-iret/race.trace', import.meta.url).pathname;
const trace = readTrace(readFileSync(PATH));
const calls = [...trace.events].filter(({ kind }) => kind === 'shim').map(({ at }) => at);

function timeline(): Timeline {
  const { machine } = setUp(startFromTrace(trace, PATH));
  return Timeline.overTrace(machine, trace.eventList, trace.lastInstant);
}

/** The instants of all stops at calls, from one end to the other. */
function stops(line: Timeline, direction: 'forward' | 'backward'): number[] {
  const instants: number[] = [];
  for (;;) {
    const motion = line.continue(direction, {
      breakpoints: new Set(),
      watchpoints: [],
      calls: true,
    });
    let slice = motion.next();
    while (slice.done !== true) slice = motion.next();
    if (slice.value.kind !== 'call') return instants;
    instants.push(line.instant);
  }
}

describe('a VMI call', () => {
  test('stops behind the step that it came with, the same one in both directions', () => {
    const line = timeline();
    const forward = stops(line, 'forward');
    const steps = [...new Set(calls.map((at) => at + 1))];
    expect(steps.length).toBeGreaterThan(3);
    expect(forward).toEqual(steps);
    const backward = stops(line, 'backward');
    expect(backward.reverse()).toEqual(steps);
  });

  test.skipIf(!hasGdb)('is a signal to a real gdb that asks for it, and to no other', async () => {
    const output = await debug(new TimelineTarget(timeline()), [
      'continue',
      'p $instant',
      'monitor seek begin',
      'maintenance flush register-cache',
      'monitor calls on',
      'continue',
      'p $instant',
      'continue',
      'p $instant',
      'reverse-continue',
      'p $instant',
      'handle SIGUSR1 nostop noprint',
      'reverse-continue',
      'p $instant',
    ]);
    const [first, second] = calls.map((at) => String(at + 1));
    expect(printed(output)).toEqual([String(trace.lastInstant), first, second, first, '0']);
    expect(output.match(/received signal SIGUSR1/g)).toHaveLength(3);
  });
});
