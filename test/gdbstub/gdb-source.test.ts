import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { loadImage } from '../../src/machine/loaders/image.js';
import { Machine } from '../../src/machine/machine.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import { Timeline } from '../../src/replay/timeline.js';
import { debug, hasGdb } from './real-gdb.js';

const SOURCE = new URL('sums.s', import.meta.url).pathname;
const hasBinutils = ['as', 'ld'].every((tool) => spawnSync(tool, ['--version']).status === 0);

let folder = '';
let image = '';

function run(tool: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool}: ${stderr}`);
}

/** What gdb printed in a session over the whole run of the program. */
function session(commands: readonly string[]): Promise<string> {
  const machine = new Machine({ memoryBytes: 4 << 20 });
  const { symbols } = loadImage(machine, { name: 'sums', bytes: readFileSync(image) }, {});
  const timeline = Timeline.live(machine, new VirtualClock());
  return debug(new TimelineTarget(timeline, { symbols }), commands, image);
}

/** The comments of the source lines that gdb stopped at, in order. */
function lines(output: string): string[] {
  return [...output.matchAll(/^\d+\t.*# (.*)$/gm)].map(([, comment]) => comment);
}

describe.skipIf(!hasGdb || !hasBinutils)(
  'source lines in a real gdb (skipped where gdb, as or ld are not installed)',
  () => {
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'holdoff-sums-'));
      const object = join(folder, 'sums.o');
      image = join(folder, 'sums.elf');
      run('as', ['--32', '-g', '-o', object, SOURCE]);
      run('ld', ['-m', 'elf_i386', '-n', '-Ttext', '0x200000', '-o', image, object]);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('next and reverse-next go over a call, line by line', async () => {
      const output = await session([
        'break work',
        'continue',
        'next',
        'next',
        'next',
        'next',
        'reverse-next',
        'reverse-next',
        'p (int) total',
      ]);
      expect(lines(output)).toEqual([
        'call of work',
        'enter work',
        'first arguments',
        'first call',
        'first clean-up',
        'second arguments',
        'first clean-up',
        'first call',
      ]);
      expect(output).toContain('$1 = 0\n');
    });

    test('step goes into a call, and reverse-step into it from behind', async () => {
      const output = await session([
        'tbreak work',
        'continue',
        'next',
        'next',
        'step',
        'next',
        'next',
        'next',
        'next',
        'reverse-step',
        'reverse-step',
        'reverse-step',
        'reverse-step',
      ]);
      expect(lines(output)).toEqual([
        'call of work',
        'enter work',
        'first arguments',
        'first call',
        'enter add',
        'sum',
        'store',
        'leave add',
        'first clean-up',
        'leave add',
        'store',
        'sum',
        // gdb takes the lines before `sum` for the function's prologue, and passes over them.
        'first call',
      ]);
    });

    test('finish and reverse-finish end a function at either end', async () => {
      const output = await session([
        'tbreak add',
        'continue',
        'finish',
        'p $eax',
        'tbreak add',
        'continue',
        'next',
        'reverse-finish',
        'p $eax',
      ]);
      expect(lines(output)).toEqual([
        'call of work',
        'enter add',
        'first clean-up',
        'enter add',
        'sum',
        'second call',
      ]);
      expect(output.match(/^\$\d = .*$/gm)).toEqual(['$1 = 3', '$2 = 3']);
    });

    test('a call of a guest’s function is a diversion, after which every register is as before', async () => {
      const output = await session([
        'tbreak add',
        'continue',
        'info registers eax esp eip eflags',
        'p ((int (*)(int, int)) add)(40, 2)',
        'p (int) total',
        'info registers eax esp eip eflags',
        'reverse-stepi',
        'p (int) total',
      ]);
      expect(output).toContain('holdoff: a diversion begins at @');
      expect(output.match(/^\$\d = .*$/gm)).toEqual(['$1 = 42', '$2 = 42', '$3 = 0']);
      const registers = output.match(/^eax .*\nesp .*\neip .*\neflags .*$/gm);
      expect(registers).toHaveLength(2);
      expect(registers?.[0]).toBe(registers?.[1]);
    });

    test('the end of the log says how the guest ended', async () => {
      const output = await session(['continue']);
      expect(output).toMatch(
        /holdoff: the end of the log, at @\d+: the guest exited with status 99/,
      );
    });
  },
);
