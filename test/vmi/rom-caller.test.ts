/** guest/rom-caller finds the ROM, patches itself, and lives on what the ROM does; each recording replays. */
import { describe, expect, test } from 'vitest';
import { HostClock } from '../../src/replay/clock/host.js';
import type { LiveSource } from '../../src/replay/clock/live-source.js';
import { RandomClock } from '../../src/replay/clock/random.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { ListCursor } from '../../src/replay/event-cursor.js';
import { Recorder } from '../../src/replay/recorder.js';
import { Replayer } from '../../src/replay/replayer.js';
import { Session } from '../../src/replay/session.js';
import { callName } from '../../src/vmi/call-names.js';
import { romMachine } from './support/rom-machine.js';

const LINES = [
  'the kernel is at CPL 1',
  'the sites are patched',
  'virtual IF is as it was set',
  'a periodic alarm came',
  'an alarm came once, and the wallclock goes',
  'page-table updates are seen when they must be',
  'user mode was entered and left both ways',
  'DONE',
];

function recorded(source: LiveSource): {
  events: TraceEvent[];
  output: string;
  digest: string | null;
  reports: readonly string[];
} {
  const { machine, reports } = romMachine();
  let output = '';
  machine.onSerialOutput = (byte) => {
    output += String.fromCharCode(byte);
  };
  const events: TraceEvent[] = [];
  const recorder = new Recorder(machine, { event: (event) => events.push(event) });
  const session = new Session(machine, source, { recorder, maxInstructions: 1_000_000 });
  while (typeof session.slice(100_000) !== 'object') {
    // On to the end.
  }
  return { events, output, digest: session.digest, reports };
}

/** A host whose time goes on by an odd number each time that it is looked at. */
function steadyHost(): HostClock {
  let time = 1_000_000;
  const now = (): number => {
    time += 7_001;
    return time;
  };
  return new HostClock({ now, epochSeconds: 1_141_776_000, skipsIdle: true });
}

describe.each([
  ['virtual', () => new VirtualClock()],
  ['random', () => new RandomClock(11)],
  ['host', steadyHost],
] as const)('under the %s clock', (_name, source) => {
  test('the guest is served, and its recording replays to an equal digest', () => {
    const { events, output, digest } = recorded(source());
    expect(output.trimEnd().split('\n')).toEqual(LINES);
    const { machine } = romMachine();
    const replayer = new Replayer(machine, new ListCursor(events), events.at(-1)!.at);
    replayer.attach();
    expect(replayer.advance(Number.POSITIVE_INFINITY)).toBe('end');
    expect(replayer.divergence).toBeNull();
    expect(events.at(-1)).toMatchObject({ kind: 'end', digest });
  });
});

test('calls are events that have names, those of the published region too', () => {
  const { events } = recorded(new VirtualClock());
  const names = new Set(
    events.flatMap((event) => (event.kind === 'shim' ? [callName(event.call)] : [])),
  );
  for (const name of ['Init', 'SetGDT', 'IRET', 'EnableInterrupts', 'SYSEXIT', 'SetLazyMode']) {
    expect(names).toContain(name);
  }
});

test('a question for a call that nobody knows is reported once, with its number and its place', () => {
  const { reports } = recorded(new VirtualClock());
  expect(reports).toHaveLength(1);
  expect(reports[0]).toMatch(/^VMI call 72 .* from 0xc0100[0-9a-f]{3} was not served: /);
});

test('a checkpoint of any instant around Init goes on as the run did', () => {
  const { events } = recorded(new VirtualClock());
  const init = events.find((event) => event.kind === 'shim')!.at;
  const { machine } = romMachine();
  const { ram } = machine.cpu.core.physical;
  machine.run(init - 3);
  const states = Array.from({ length: 8 }, () => {
    const kept = { state: machine.save(), ram: ram.slice(), at: machine.cpu.instant };
    machine.run(kept.at + 1);
    return kept;
  });
  machine.run(init + 300);
  const { eip } = machine.cpu.core.state;
  for (const { state, ram: bytes, at } of states) {
    machine.cpu.core.physical.load(0, bytes.subarray(0, 0xa0000));
    machine.cpu.core.physical.load(0xc0000, bytes.subarray(0xc0000));
    machine.restore(state);
    expect(machine.cpu.instant).toBe(at);
    machine.run(init + 300);
    expect(machine.cpu.core.state.eip).toBe(eip);
  }
});
