import { describe, expect, test } from 'vitest';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { WINDOW_IMAGE, windowTimeline } from './guests.js';
import { debug, hasGdb } from './real-gdb.js';

const { timeline, symbols } = windowTimeline(400_000);

function session(commands: readonly string[]): Promise<string> {
  timeline.seek(0);
  return debug(new TimelineTarget(timeline, { symbols }), commands, WINDOW_IMAGE);
}

/** All registers between two marks. */
function registersAfter(output: string, mark: string): string {
  const [, rest] = output.split(`${mark}\n`);
  return rest.split('---')[0];
}

const SHOW = ['echo ---\\n'];

describe.skipIf(!hasGdb)('a real gdb on a real guest (skipped where gdb is not installed)', () => {
  test('in the IRQ handler, five steps back and five forth give every register again', async () => {
    const output = await session([
      'break irq0_entry',
      'continue',
      'continue',
      'echo BEFORE\\n',
      'info registers',
      ...SHOW,
      'reverse-stepi',
      'reverse-stepi',
      'reverse-stepi',
      'reverse-stepi',
      'reverse-stepi',
      'echo BACK\\n',
      'info registers',
      ...SHOW,
      'stepi',
      'stepi',
      'stepi',
      'stepi',
      'stepi',
      'echo AFTER\\n',
      'info registers',
      ...SHOW,
    ]);
    const before = registersAfter(output, 'BEFORE');
    expect(before).toMatch(/eip .*<irq0_entry>/);
    expect(before).toMatch(/eflags .*\[ (?!.*IF)/);
    expect(registersAfter(output, 'BACK')).not.toBe(before);
    expect(registersAfter(output, 'AFTER')).toBe(before);
  });

  test('reverse-continue goes to the previous change of need_resched', async () => {
    const output = await session([
      'break set_need_resched',
      'continue',
      'delete',
      'watch *(int *) &need_resched',
      'continue',
      'p $instant',
      'continue',
      'p $instant',
      'reverse-continue',
      'reverse-continue',
      'p $instant',
      'info symbol $pc',
    ]);
    const [set, cleared, again] = [...output.matchAll(/^\$\d = (\d+)$/gm)].map((each) =>
      Number(each[1]),
    );
    expect(cleared).toBeGreaterThan(set);
    // Backward it stops before the store, forward behind it.
    expect(again).toBe(set - 1);
    expect(output).toMatch(/^set_need_resched in section/m);
    const values = [...output.matchAll(/(?:Old|New) value = (\d+)/g)].map(([, value]) => value);
    expect(values).toEqual(['0', '1', '1', '0', '0', '1', '1', '0']);
  });

  test('reverse-finish goes to the call, and reverse-continue to the beginning', async () => {
    const output = await session([
      'break timer_interrupt',
      'continue',
      'delete',
      'stepi',
      'stepi',
      'reverse-finish',
      'x/i $pc',
      'reverse-continue',
      'p $instant',
      'info symbol $pc',
      'continue',
      'monitor when',
    ]);
    expect(output).toMatch(/^=> 0x\w+ <\w+(\+\d+)?>:\tcall +0x\w+ <timer_interrupt>/m);
    expect(output).toContain('$1 = 0\n');
    expect(output).toMatch(/^_start in section/m);
    expect(output.match(/No more reverse-execution history/g)?.length).toBe(2);
    expect(output).toContain(`, of @${timeline.end ?? 0}\n`);
    expect(output).toMatch(/holdoff: the end of the log, at @\d+: the instruction limit/);
  });

  test('an access watchpoint stops at the same store in both directions', async () => {
    const output = await session([
      'hbreak set_need_resched',
      'continue',
      'delete',
      'awatch *(int *) &need_resched',
      'continue',
      'reverse-continue',
      'p $instant',
      'reverse-continue',
      'info symbol $pc',
    ]);
    expect(output.match(/^Hardware access \(read\/write\) watchpoint 2:/gm)?.length).toBe(4);
    expect(output).toContain('Hardware assisted breakpoint 1 at');
    // The access before the store is the read that decided on it.
    expect(output).toMatch(/^timer_interrupt \+ \d+ in section/m);
  });

  test('seek and the two flushes show the other instant', async () => {
    const output = await session([
      'p $instant',
      'monitor seek @300000',
      'p $instant',
      'maintenance flush register-cache',
      'maintenance flush dcache',
      'p $instant',
    ]);
    const printed = [...output.matchAll(/^\$\d = (\d+)$/gm)].map(([, value]) => value);
    expect(printed).toEqual(['0', '0', '300000']);
  });

  test('a register set in the past is a diversion that reverse-stepi undoes', async () => {
    const output = await session([
      'break set_need_resched',
      'continue',
      'p $eax',
      'set $eax = 12345',
      'stepi',
      'stepi',
      'reverse-stepi',
      'p $eax',
      'info symbol $pc',
    ]);
    expect(output).toContain('holdoff: a diversion begins at @');
    const printed = [...output.matchAll(/^\$\d = (-?\d+)$/gm)].map(([, value]) => value);
    expect(printed[1]).toBe(printed[0]);
    expect(output).toMatch(/^set_need_resched in section/m);
  });
});
