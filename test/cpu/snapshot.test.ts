/** States that come from outside. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as layout from '../../src/cpu/state-layout.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import { Session } from '../../src/replay/session.js';
import { timerGuest } from '../replay/timer-guest.js';

const machine = timerGuest(2000);
const session = new Session(machine, new VirtualClock());

describe('a processor state from a file', () => {
  test('is taken at any instant at which it was saved, and is the same state', () => {
    for (let slice = 0; slice < 300; slice++) {
      const saved = machine.save();
      machine.restoreForeign(saved);
      expect(Buffer.compare(machine.save().cpu, saved.cpu)).toBe(0);
      session.slice(97);
    }
  });

  test.each<[string, number, number]>([
    ['a CPL', layout.CPL, 4],
    ['a CPL that is not that of the TLB', layout.CPL, 3],
    ['a TLB somewhere in RAM', layout.TLB_BASE, layout.RAM_BASE],
    ['a mode', layout.MODE, 0x7f],
    ['a fast limit', layout.SEGMENTS + layout.SEGMENT_READ_BELOW, 0x1234],
    ['a zero that is none', layout.ZERO, 1],
    ['a shadow', layout.SHADOW, 3],
    ['a count', layout.UNRETIRED + 4, 0x7ff80000],
  ])('with %s that cannot be is refused', (_, offset, value) => {
    const saved = machine.save();
    const cpu = saved.cpu.slice();
    new DataView(cpu.buffer).setInt32(offset, value, true);
    expect(() => machine.restoreForeign({ ...saved, cpu })).toThrow(/a saved state/);
    machine.restore(saved);
  });

  test('cut short, or with a device in a state that it is never in, is refused', () => {
    const saved = machine.save();
    const cpu = saved.cpu.subarray(1);
    expect(() => machine.restoreForeign({ ...saved, cpu })).toThrow(/1031 bytes/);
    const rtc = saved.devices['mc146818'] ?? Object.values(saved.devices)[2];
    const name = Object.keys(saved.devices).find((key) => saved.devices[key] === rtc) ?? '';
    const devices = { ...saved.devices, [name]: rtc.map((value, at) => (at === 9 ? 999 : value)) };
    expect(() => machine.restoreForeign({ ...saved, devices })).toThrow(/never in/);
    machine.restore(saved);
  });

  test('flipped somewhere is refused, or another state that runs', () => {
    const saved = machine.save();
    fc.assert(
      fc.property(fc.nat(saved.cpu.length - 1), fc.nat(7), (at, bit) => {
        const cpu = saved.cpu.slice();
        cpu[at] ^= 1 << bit;
        try {
          machine.restoreForeign({ ...saved, cpu });
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        machine.run(machine.cpu.instant + 200);
      }),
      { numRuns: 300 },
    );
    machine.restore(saved);
  });
});

describe('the layout of a state', () => {
  test('has another version when it is changed', () => {
    const below = Object.entries(layout).filter(
      ([name, value]) => name !== 'LAYOUT_VERSION' && value < layout.ARCHITECTURAL_END,
    );
    const hash = createHash('sha256').update(JSON.stringify(below.sort()));
    // Traces hold states as bytes: with another list here, raise LAYOUT_VERSION and write both down.
    expect([layout.LAYOUT_VERSION, hash.digest('hex').slice(0, 16)]).toEqual([
      1,
      '5efa9523becb4121',
    ]);
  });
});
