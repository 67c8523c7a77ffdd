import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import type { Recording } from '../../src/replay/diversion.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { WINDOW_IMAGE, windowTimeline } from './guests.js';
import { debug, hasGdb, printed } from './real-gdb.js';

const { timeline, symbols } = windowTimeline(300_000);
const image = { name: 'window.elf', bytes: readFileSync(WINDOW_IMAGE) };
const accepted = timeline.events(0, 300_000).filter((event) => event.kind === 'accept');

/** A gdb without any file: all it knows comes from the target. */
function session(commands: readonly string[], saved: TraceEvent[][] = []): Promise<string> {
  timeline.seek(0);
  const saveTrace = (name: string, { events }: Recording): string => {
    saved.push([...events]);
    return `wrote ${name}`;
  };
  return debug(new TimelineTarget(timeline, { symbols, image, saveTrace }), commands);
}

describe.skipIf(!hasGdb)('what a real gdb gets from the target (skipped without gdb)', () => {
  afterEach(() => {
    timeline.seek(0);
  });

  test('the program comes out of the target: symbols without a file', async () => {
    const output = await session(['info symbol irq0_entry', 'info files']);
    expect(output).toContain('irq0_entry in section .text');
    expect(output).toContain('target:/window.elf');
  });

  test('compare-sections proves that the program is the one in memory', async () => {
    const output = await session(['compare-sections .text']);
    expect(output).toMatch(/Section \.text, range .*: matched\./);
  });

  test('find looks through memory in the target', async () => {
    const output = await session(['find /b1 &irq0_entry, +64, *(char *) &irq0_entry']);
    expect(output).toMatch(/<irq0_entry>\n1 pattern found/);
  });

  test('the memory map has all addresses, and info threads a line of state', async () => {
    const output = await session(['info mem', 'info threads']);
    expect(output).toContain('Using memory regions provided by the target.');
    expect(output).toMatch(/0x00000000 0x100000000 rw/);
    expect(output).toMatch(/\* 1 +Thread 1 \(@0 CPL=0 IF=0 shadow=none\)/);
  });

  test('a condition is evaluated in the target: one stop, forward and backward', async () => {
    const output = await session([
      'break irq0_entry',
      'continue',
      'continue',
      'continue',
      'p $instant',
      'delete',
      'monitor seek begin',
      'maintenance flush register-cache',
      `break irq0_entry if $instant > ${accepted[1].at + 1}`,
      'set debug remote 1',
      'continue',
      'set debug remote 0',
      'p $instant',
      'stepi',
      'reverse-continue',
      'p $instant',
      'reverse-continue',
      'p $instant',
    ]);
    const third = String(accepted[2].at + 1);
    expect(printed(output)).toEqual([third, third, third, '0']);
    expect(output.match(/Sending packet: \$vCont;c/g)).toHaveLength(1);
  });

  test('a condition that cannot be evaluated stops, and gdb says why', async () => {
    const output = await session(['break irq0_entry if *(int *) 0xf0000000 == 1', 'continue']);
    expect(output).toContain('Error in testing');
    expect(output).toContain('Cannot access memory at address 0xf0000000');
  });

  test('dprintf prints without a stop', async () => {
    const output = await session([
      'set dprintf-style agent',
      'dprintf irq0_entry,"tick at %llu, cs %d\\n", $instant, $cs',
      `monitor aim @${accepted[0].at - 10}`,
      'continue',
      'tbreak set_need_resched',
      'continue',
    ]);
    expect(output).toMatch(new RegExp(`^tick at ${accepted[0].at + 1}, cs \\d+$`, 'm'));
    expect(output.match(/^tick at/gm)?.length).toBeGreaterThanOrEqual(1);
  });

  test('interrupts stop as signals when gdb catches them, at the same instants in both directions', async () => {
    const output = await session([
      'catch signal SIGALRM',
      'continue',
      'p $instant',
      'p $pending_vector',
      'continue',
      'p $instant',
      'info symbol $pc',
      'reverse-continue',
      'p $instant',
      'reverse-stepi',
      'p $pending_vector',
      'p $pic_irr & 1',
      'stepi',
      'handle SIGALRM nostop noprint',
      'delete',
      'tbreak exit',
      'continue',
    ]);
    const [first, second] = accepted.map((event) => String(event.at + 1));
    expect(printed(output)).toEqual([first, '-1', second, first, '32', '1']);
    expect(output).toMatch(/^Catchpoint 1 \(signal SIGALRM\)/m);
    expect(output).toMatch(/^irq0_entry in section/m);
  });

  test('nobody is stopped who did not ask', async () => {
    const output = await session(['continue', 'p $instant']);
    expect(printed(output)).toEqual([String(timeline.recordedEnd)]);
  });

  test('info os shows events, windows and checkpoints', async () => {
    const output = await session([
      `monitor seek @${accepted[0].at}`,
      'info os',
      'info os events',
      'info os windows',
      'info os checkpoints',
      'info os nonsense',
    ]);
    expect(output).toMatch(/^events +what was recorded/m);
    expect(output).toContain('IRQ 0 taken (vector 32');
    expect(output).toMatch(
      new RegExp(`^=> @\\d+ +@${accepted[0].at} +\\d+ +open +vector 0x20`, 'm'),
    );
    expect(output).toMatch(/closed: IF=0/);
    expect(output).toMatch(/^@0 +\d+/m);
  });

  test('the branches of the past are there when they are asked for, and not before', async () => {
    const output = await session([
      `monitor seek @${accepted[0].at + 20}`,
      'maintenance flush register-cache',
      'info record',
      'record btrace',
      'info record',
      'record function-call-history',
      'record stop',
      'reverse-stepi',
      'p $instant',
    ]);
    expect(output).toMatch(/^No recording is currently active/m);
    expect(output).toMatch(/Recorded \d+ instructions in \d+ functions \(0 gaps\)/);
    expect(output).toMatch(/^\d+\tirq0_entry$/m);
    expect(printed(output)).toEqual([String(accepted[0].at + 19)]);
  });

  test('run begins again in extended mode, also after a kill', async () => {
    timeline.seek(0);
    const target = new TimelineTarget(timeline, { symbols, image });
    const commands = [
      'stepi',
      'tbreak irq0_entry',
      'run',
      'p $instant',
      'kill',
      'tbreak irq0_entry',
      'run',
      'p $instant',
      'starti',
      'p $instant',
    ];
    const output = await debug(target, commands, WINDOW_IMAGE, undefined, 'extended-remote');
    const first = String(accepted[0].at + 1);
    expect(printed(output)).toEqual([first, first, '0']);
  });

  test('monitor aim and continue go to an instant, and gdb sees it at once', async () => {
    const at = accepted[1].at;
    const output = await session([
      `monitor aim @${at}`,
      'continue',
      'p $instant',
      'monitor aim -100',
      'continue',
      'p $instant',
      'monitor back',
      'maintenance flush register-cache',
      'p $instant',
      'monitor forward',
      'maintenance flush register-cache',
      'p $instant',
      'monitor aim nowhere',
    ]);
    expect(printed(output)).toEqual([at, at - 100, at, at - 100].map(String));
    expect(output).toContain('Protocol error with Rcmd');
  });

  test('an injected interrupt is a diversion, which can be kept as a trace', async () => {
    const saved: TraceEvent[][] = [];
    const output = await session(
      [
        `monitor seek @${accepted[0].at - 500}`,
        'maintenance flush register-cache',
        'monitor inject irq 0',
        'tbreak irq0_entry',
        'continue',
        'monitor diversion save kept.trace',
        'set $eax = 5',
        'monitor diversion save edited.trace',
        'monitor inject irq 4',
        'monitor seek begin',
        'monitor diversion',
      ],
      saved,
    );
    expect(output).toContain('holdoff: a diversion begins at @');
    expect(output).toContain('wrote kept.trace');
    expect(output).toContain('wrote edited.trace');
    expect(output).toContain('line 4 belongs to a device');
    expect(output).toContain('this is the recorded past');
    expect(saved).toHaveLength(2);
    expect(saved[0].at(-1)?.kind).toBe('end');
  });

  test('with irq-step off a handler counts to the instruction that it came before', async () => {
    const at = accepted[0].at;
    const output = await session([
      `monitor seek @${at}`,
      'maintenance flush register-cache',
      'p/x $pc',
      'monitor irq-step off',
      'stepi',
      'info symbol $pc',
      'reverse-stepi',
      'p $instant',
      'p/x $pc',
      'reverse-stepi',
      'p $instant',
      'stepi',
      'p $instant',
      'monitor irq-step on',
      'stepi',
      'info symbol $pc',
    ]);
    const [pc, back, backPc, before, forth] = printed(output);
    expect([back, backPc, before, forth]).toEqual([String(at), pc, String(at - 1), String(at)]);
    const places = [...output.matchAll(/^(\w+)(?: \+ \d+)? in section/gm)].map(([, name]) => name);
    expect(places[0]).not.toMatch(/irq0/);
    expect(places[1]).toBe('irq0_entry');
  });

  test('why, window and last-write explain the present boundary', async () => {
    const { at } = accepted[0];
    const output = await session([
      `monitor seek @${at}`,
      'monitor why',
      'monitor window 50',
      `monitor seek @${at + 1}`,
      'monitor why',
      'monitor seek end',
      'monitor last-write need_resched',
      'monitor last-write 0xf0000000',
      'monitor mark done',
      'monitor marks',
      'monitor stats',
      'monitor phys on',
      'p/x *(int *) 0x7fffffff',
    ]);
    expect(output).toContain('vector 0x20 is taken at this boundary.');
    expect(output).toMatch(new RegExp(`=> @\\d+ +@${at} +\\d+ +open +vector 0x20`));
    expect(output).toContain('The processor takes no interrupts here: IF=0.');
    expect(output).toContain('In service at the 8259s: IRQ 0.');
    expect(output).toMatch(/^@\d+ wrote it, at \w+/m);
    expect(output).toContain('nothing wrote there before @');
    expect(output).toMatch(/^@\d+ {2}done$/m);
    expect(output).toMatch(/^\d+ checkpoints with \d+ pages/m);
    expect(output).toContain('Cannot access memory at address 0x7fffffff');
  });
});
