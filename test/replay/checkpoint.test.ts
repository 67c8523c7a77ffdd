import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Checkpoints } from '../../src/replay/checkpoint.js';
import { StateDigest } from '../../src/replay/digest.js';
import { bareGuest } from './bare-guest.js';

/**
 * A guest that writes some 200 pages, some of them again and again, and clears them now and then:
 *   mov eax, 12345h; again: imul eax, eax, 41c64e6dh; add eax, 3039h; mov edx, eax; shr edx, 13
 *   and edx, 7fffch; mov [edx + 20000h], eax; test al, 7; jnz again; mov [edx + 20000h], 0; jmp again
 */
const WRITER = Buffer.from(
  'b845230100' +
    '69c06d4ec641' +
    '0539300000' +
    '89c2c1ea0d' +
    '81e2fcff0700' +
    '898200000200' +
    'a80775e0' +
    'c7820000020000000000' +
    'ebd4',
  'hex',
);
const STEPS = 4000;

/** Digests of the writer's states, by instant. */
function reference(): string[] {
  const machine = bareGuest(...WRITER);
  const digest = new StateDigest(machine);
  return Array.from({ length: STEPS + 1 }, (_, instant) => {
    machine.run(instant);
    return digest.compute();
  });
}

function subject(limits?: { readonly bytes: number; readonly count: number }): {
  readonly checkpoints: Checkpoints;
  /** Gets to an instant by way of checkpoints, and leaves one there where asked to. */
  readonly go: (at: number, takes: boolean) => string;
} {
  const machine = bareGuest(...WRITER);
  const checkpoints = new Checkpoints(machine, limits?.bytes, limits?.count);
  const digest = new StateDigest(machine);
  checkpoints.take(0);
  const go = (at: number, takes: boolean): string => {
    const from = checkpoints.nearest(at)!;
    if (machine.cpu.instant > at || from.at > machine.cpu.instant) checkpoints.restore(from);
    machine.run(at);
    if (takes) checkpoints.take(0);
    return digest.compute();
  };
  return { checkpoints, go };
}

describe('Checkpoints', () => {
  const states = reference();
  const walk = fc.array(fc.tuple(fc.nat(STEPS), fc.boolean()), { minLength: 1, maxLength: 60 });

  test('the writer of these tests writes many pages', () => {
    const machine = bareGuest(...WRITER);
    const digest = new StateDigest(machine);
    digest.compute();
    machine.run(STEPS);
    digest.compute();
    expect(digest.hashedPages).toBeGreaterThan(100);
  });

  test('whatever was taken and restored before, an instant has one state', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        const { go } = subject();
        for (const [at, takes] of steps) expect(go(at, takes)).toBe(states[at]);
      }),
      { numRuns: 30 },
    );
  });

  test('thinning under a budget changes no state, and keeps to the budget', () => {
    const limits = { bytes: 1 << 20, count: 12 };
    fc.assert(
      fc.property(walk, (steps) => {
        const { checkpoints, go } = subject(limits);
        for (const [at, takes] of steps) {
          expect(go(at, takes)).toBe(states[at]);
          expect(checkpoints.count).toBeLessThanOrEqual(limits.count);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('a restore undoes writes that did not come from the guest', () => {
    const machine = bareGuest(...WRITER);
    const checkpoints = new Checkpoints(machine);
    machine.run(500);
    checkpoints.take(3);
    machine.cpu.core.physical.load(0x21000, new Uint8Array(5000).fill(0xee));
    machine.cpu.core.state.setReg32(0, 1);
    const checkpoint = checkpoints.nearest(600)!;
    checkpoints.restore(checkpoint);
    expect(new StateDigest(machine).compute()).toBe(states[500]);
    expect(checkpoint.events).toBe(3);
  });

  test('a page that did not change costs nothing in the next checkpoint', () => {
    const machine = bareGuest(0x90, 0xeb, 0xfd);
    const checkpoints = new Checkpoints(machine);
    machine.cpu.core.physical.load(0x40000, new Uint8Array(20 * 4096).fill(1));
    checkpoints.take(0);
    const first = checkpoints.bytes;
    machine.run(10);
    checkpoints.take(0);
    const second = checkpoints.bytes - first;
    expect(first).toBeGreaterThan(20 * 4096);
    expect(second).toBeLessThan(4 * 4096);
  });

  test('there is none before the first', () => {
    const machine = bareGuest(0x90, 0xeb, 0xfd);
    const checkpoints = new Checkpoints(machine);
    expect(checkpoints.nearest(5)).toBe(null);
    machine.run(5);
    checkpoints.take(0);
    expect(checkpoints.nearest(4)).toBe(null);
    expect(checkpoints.nearest(5)?.at).toBe(5);
  });
});
