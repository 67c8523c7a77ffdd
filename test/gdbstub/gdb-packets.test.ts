/**
 * What a real gdb sends to connect and to step: the order of packets that the handlers are written for, and
 * no `g` behind a stop, since the stop said all that gdb wants to know.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { loadImage } from '../../src/machine/loaders/image.js';
import { Machine } from '../../src/machine/machine.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import { Timeline } from '../../src/replay/timeline.js';
import { converse, type Exchange, hasTranscriptGdb } from './transcript.js';

const PROGRAM = new URL('programs/reverse.elf', import.meta.url).pathname;

/** The packets of one command, named: what follows `:`, `,` or a number left out, repeated ones once. */
function sent({ output }: Exchange): string[] {
  const names = [...output.matchAll(/Sending packet: \$([^#]*)#/g)].map(([, body]) => {
    const [name] = /^(?:qXfer:[\w-]+|vFile:\w+|vCont[?;:]?[csCSr]?|H[gc]|[a-zA-Z?]\w*)/.exec(
      body,
    ) ?? [body];
    return /^(?:[mzZ]\d|m[\da-f])/.test(name) ? name.slice(0, name[0] === 'm' ? 1 : 2) : name;
  });
  return names.filter((name, place) => name !== names[place - 1]);
}

describe.skipIf(!hasTranscriptGdb)('the packets of gdb 13 (skipped with another gdb)', () => {
  let exchanges: Exchange[] = [];
  const of = (command: string): Exchange => {
    const found = exchanges.find((each) => each.command === command);
    if (found === undefined) throw new Error(command);
    return found;
  };

  beforeAll(async () => {
    const machine = new Machine({ memoryBytes: 4 << 20 });
    const image = { name: 'reverse.elf', bytes: readFileSync(PROGRAM) };
    const { symbols } = loadImage(machine, image, {});
    const target = new TimelineTarget(Timeline.live(machine, new VirtualClock()), {
      symbols,
      image,
    });
    exchanges = await converse(target, [
      'set debug remote 1',
      'target remote :1234',
      'tbreak 39',
      'continue',
      'stepi',
      'reverse-stepi',
      'next',
      'tbreak 40',
      'continue 1',
      // gcc has two rows for line 39: behind the call the second begins.
      'reverse-next 2',
      'set debug remote 0',
    ]);
  }, 120_000);

  test('of target remote come in the order that is expected', () => {
    expect(sent(of('target remote :1234'))).toEqual([
      ...[
        'qSupported',
        'vMustReplyEmpty',
        'QStartNoAckMode',
        'Hg',
        'qXfer:features',
        'qTStatus',
        '?',
      ],
      ...['qXfer:threads', 'qAttached', 'qXfer:exec-file', 'vFile:setfs'],
      // The file is read by name, then again for the symbols.
      ...['vFile:open', 'vFile:pread', 'vFile:fstat', 'vFile:open', 'vFile:fstat'],
      ...['qXfer:exec-file', 'Hc', 'qOffsets', 'qXfer:threads', 'qSymbol', 'qXfer:btrace-conf'],
    ]);
  });

  test('of stepi are one vCont and no g', () => {
    expect(sent(of('stepi'))).toEqual(['m', 'vCont;s', 'm', 'qXfer:threads']);
  });

  test('of reverse-stepi are one bs and no g', () => {
    expect(sent(of('reverse-stepi'))).toEqual(['Hc', 'bs', 'm', 'qXfer:threads']);
  });

  test('of next are ranges, and a breakpoint behind a call', () => {
    expect(sent(of('next'))).toEqual([
      ...['vCont;r', 'm', 'Z0', 'vCont;c', 'm', 'z0'],
      ...['vCont;r', 'm', 'qXfer:threads'],
    ]);
  });

  test('no g follows any stop', () => {
    const stops = exchanges.filter(({ command }) => /step|next|continue/.test(command));
    expect(stops.length).toBe(6);
    for (const stop of stops) expect(sent(stop)).not.toContain('g');
  });

  test('of reverse-next are steps, and bc over a call', () => {
    const names = sent(of('reverse-next 2'));
    expect(new Set(names)).toEqual(new Set(['Z0', 'bs', 'm', 'bc', 'z0', 'qXfer:threads']));
    expect(names.indexOf('bs')).toBeLessThan(names.indexOf('bc'));
  });
});
