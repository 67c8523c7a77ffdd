/** What a recording of guest/window under the hypervisor shows. window-*.test.ts run it whole. */
import { describe, expect, test } from 'vitest';
import { RandomClock } from '../../src/replay/clock/random.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import { callName } from '../../src/vmi/call-names.js';
import { recorded, replayed } from './support/three-ways.js';
import { WAYS } from './support/window.js';

const SYSEXIT = 40;

describe.each(WAYS)('--vmi %s', (way) => {
  const { events } = recorded(way, () => new VirtualClock(), { maxInstructions: 300_000 });

  test('a call that is not the recorded one is a divergence', () => {
    const index = events.findIndex((event) => event.kind === 'shim' && event.call === SYSEXIT);
    const changed = events.map((event, at) =>
      at === index && event.kind === 'shim' ? { ...event, site: event.site + 1 } : event,
    );
    const { end, replayer } = replayed(way, changed);
    expect(end).toBe('divergence');
    expect(replayer.divergence?.instant).toBe(events[index].at);
  });
});

// biome-ignore format: by kind
const CALLS_OF_THE_FIRST_ROUNDS = [
  'Init', 'SetLinearMapping', 'AllocatePage', 'SetPxE', 'InvalPage', 'SetLazyMode',
  'SetGDT', 'SetLDT', 'SetIDT', 'SetTR', 'WriteGDTEntry', 'WriteLDTEntry', 'WriteIDTEntry', 'UpdateKernelStack',
  'GetCR0', 'SetCR0', 'GetCR2', 'SetCR3', 'CLTS', 'GetDR', 'SetDR', 'RDMSR', 'WRMSR', 'CPUID',
  'EnableInterrupts', 'DisableInterrupts', 'GetInterruptMask', 'SetInterruptMask', 'IRET', 'SYSEXIT', 'SetIOPLMask',
  'GetCycleCounter', 'SetAlarm',
];

test('with the ROM every site of the guest’s is a call', () => {
  const { events } = recorded('rom', () => new VirtualClock(), { maxInstructions: 300_000 });
  const calls = events.flatMap((event) => (event.kind === 'shim' ? [callName(event.call)] : []));
  expect([...new Set(calls)].sort()).toEqual([...CALLS_OF_THE_FIRST_ROUNDS].sort());
});

test('the naive scheme loses work', () => {
  const { output } = recorded('inline', () => new RandomClock(10), { scheme: 'naive' });
  expect(output).toMatch(/\nLOST WORK: [^\n]* at 0009:000c80[0-9a-f]{2};[^\n]*\n$/);
});
