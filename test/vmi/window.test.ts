/** guest/window under the hypervisor: the same self-check, and each recording replays. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadImage } from '../../src/machine/loaders/image.js';
import { Machine } from '../../src/machine/machine.js';
import type { LiveSource } from '../../src/replay/clock/live-source.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { ListCursor } from '../../src/replay/event-cursor.js';
import { Recorder } from '../../src/replay/recorder.js';
import { Replayer } from '../../src/replay/replayer.js';
import { Session } from '../../src/replay/session.js';
import { installInline } from '../../src/vmi/install.js';
import type { IretScheme } from '../../src/vmi/iret-stubs.js';

const image = {
  name: 'window-short.elf',
  bytes: readFileSync(new URL('../../guest/window/window-short.elf', import.meta.url)),
};

function windowMachine(scheme: IretScheme | null): Machine {
  const machine = new Machine({ memoryBytes: 4 << 20 });
  const loaded = loadImage(machine, image, {});
  if (scheme !== null) installInline(machine, image, loaded, scheme);
  return machine;
}

/** A recorded run of so many instructions, and what it printed. */
function recorded(
  scheme: IretScheme | null,
  source: LiveSource,
  maxInstructions: number,
): { events: TraceEvent[]; digest: string | null; output: string } {
  const machine = windowMachine(scheme);
  let output = '';
  machine.onSerialOutput = (byte) => {
    output += String.fromCharCode(byte);
  };
  const events: TraceEvent[] = [];
  const recorder = new Recorder(machine, { event: (event) => events.push(event) });
  const session = new Session(machine, source, { recorder, maxInstructions });
  while (typeof session.slice(1_000_000) !== 'object') {
    // On to the end.
  }
  return { events, digest: session.digest, output };
}

describe.each([
  ['virtual', () => new VirtualClock()],
  ['random', () => new RandomClock(7)],
] as const)('under the %s clock', (_name, source) => {
  test('a recording replays to an equal digest, its calls compared', () => {
    const { events, digest } = recorded('rollforward', source(), 1_500_000);
    expect(events.some((event) => event.kind === 'shim' && event.call === 40)).toBe(true);
    const machine = windowMachine('rollforward');
    const replayer = new Replayer(machine, new ListCursor(events), events.at(-1)!.at);
    replayer.attach();
    expect(replayer.advance(Number.POSITIVE_INFINITY)).toBe('end');
    expect(replayer.divergence).toBeNull();
    expect(events.at(-1)).toMatchObject({ kind: 'end', digest });
  });
});

test('all that is printed but the first line is the same as on bare hardware', () => {
  const [bare, inline] = [null, 'rollforward' as const].map(
    (scheme) => recorded(scheme, new RandomClock(3), Number.POSITIVE_INFINITY).output,
  );
  expect(inline).toMatch(/^[^\n]*, kernel at CPL 1\n/);
  expect(bare).toMatch(/^[^\n]*, kernel at CPL 0\n/);
  expect(inline.slice(inline.indexOf('\n'))).toBe(bare.slice(bare.indexOf('\n')));
  expect(inline).toMatch(/\nDONE\n$/);
});

test('a call that is not the recorded one is a divergence', () => {
  const { events } = recorded('rollforward', new VirtualClock(), 300_000);
  const index = events.findIndex((event) => event.kind === 'shim' && event.call === 40);
  const changed = events.map((event, at) =>
    at === index && event.kind === 'shim' ? { ...event, site: event.site + 1 } : event,
  );
  const machine = windowMachine('rollforward');
  const replayer = new Replayer(machine, new ListCursor(changed), events.at(-1)!.at);
  replayer.attach();
  expect(replayer.advance(Number.POSITIVE_INFINITY)).toBe('divergence');
  expect(replayer.divergence?.instant).toBe(events[index].at);
});

test('the naive scheme loses work', () => {
  const { output } = recorded('naive', new RandomClock(136), Number.POSITIVE_INFINITY);
  expect(output).toMatch(/\nLOST WORK: [^\n]* at 0009:000c80[0-9a-f]{2};[^\n]*\n$/);
});
