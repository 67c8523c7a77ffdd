/** A guest that runs live: stopped by Ctrl-C, gone back in, and gone on with from the live edge. */
import { expect, test } from 'vitest';
import type { DebugTarget } from '../../src/gdbstub/target.js';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { loopTimeline } from './guests.js';
import { debug, hasGdb, printed } from './real-gdb.js';

/** The target, and something that is called once, between two slices of its first motion that takes some. */
function betweenSlices(target: TimelineTarget, call: () => void): DebugTarget {
  let isCalled = false;
  return new Proxy(target, {
    get: (real, key): unknown => {
      // A second Ctrl-C would have gdb give up its target.
      if (key === 'takeProgress' && !isCalled) {
        isCalled = true;
        call();
      }
      return Reflect.get(real, key, real) as unknown;
    },
  });
}

test.skipIf(!hasGdb)(
  'Ctrl-C stops a live guest, whose past is there, and which goes on from its edge',
  async () => {
    const timeline = loopTimeline(Number.MAX_SAFE_INTEGER);
    let pid = 0;
    const target = betweenSlices(new TimelineTarget(timeline), () => process.kill(pid, 'SIGINT'));
    const commands = [
      'continue',
      'set $edge = $instant',
      'p $edge > 0',
      'reverse-stepi 3',
      'p $edge - $instant',
      'stepi 5',
      'p $instant - $edge',
      'monitor aim begin',
      'continue',
      'p $instant',
      'p $eax',
      'stepi',
      'p $eax',
    ];
    const output = await debug(target, commands, undefined, (started) => {
      pid = started;
    });
    expect(output).toContain('Program received signal SIGINT');
    expect(printed(output)).toEqual(['1', '3', '2', '0', '0', '1']);
    expect(timeline.end).toBeNull();
  },
);
