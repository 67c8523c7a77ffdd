import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { VirtualClock } from '../../src/replay/clock/virtual.js';
import { Lockstep, type LockstepResult, STRIDE_STEPS } from '../../src/replay/lockstep.js';
import { Timeline } from '../../src/replay/timeline.js';
import { bareGuest } from './bare-guest.js';

const PORT = 0x1234;
const ROUNDS = 30_000;
// MOV ECX, ROUNDS; DEC ECX; JNZ back; MOV DX, PORT; IN AL, DX; MOV [90000h], AL; CLI; HLT
const GUEST = [
  ...[0xb9, ROUNDS & 0xff, ROUNDS >> 8, 0, 0, 0x49, 0x75, 0xfd],
  ...[0x66, 0xba, PORT & 0xff, PORT >> 8, 0xec, 0xa2, 0, 0, 9, 0, 0xfa, 0xf4],
];
/** At which IN is about to be executed. */
const READS_AT = 1 + 2 * ROUNDS + 1;

function timeline(read: (machine: Machine) => number): Timeline {
  const machine = bareGuest(...GUEST);
  machine.ports.claim(PORT, PORT, { read: () => read(machine), write: () => undefined });
  return Timeline.live(machine, new VirtualClock());
}

function toEnd(lockstep: Lockstep): LockstepResult {
  for (;;) {
    const result = lockstep.stride();
    if (result !== 'equal') return result;
  }
}

describe('two timelines in lockstep', () => {
  test('come to their common end where they are one', () => {
    const [a, b] = [timeline(() => 7), timeline(() => 7)];
    expect(toEnd(new Lockstep(a, b))).toBe('end');
    expect(a.instant).toBe(b.instant);
    expect(a.instant).toBe(READS_AT + 4);
  });

  test('part at the first instant at which a register differs', () => {
    const [a, b] = [timeline(() => 7), timeline(() => 8)];
    const result = toEnd(new Lockstep(a, b));
    expect(READS_AT).toBeGreaterThan(2 * STRIDE_STEPS);
    expect(result).toEqual({
      equalAt: READS_AT,
      at: READS_AT + 1,
      isRepeated: true,
      devices: [],
      memory: null,
    });
    expect([a.instant, b.instant]).toEqual([READS_AT + 1, READS_AT + 1]);
    expect([a, b].map(({ machine }) => machine.cpu.core.state.reg32(0) & 0xff)).toEqual([7, 8]);
  });

  test('part where memory differs alone, and say at which byte', () => {
    const [a, b] = [0, 1].map((value) =>
      timeline(({ cpu }) => {
        cpu.core.physical.load(0x81234, Uint8Array.of(value));
        return 7;
      }),
    );
    expect(toEnd(new Lockstep(a, b))).toMatchObject({
      at: READS_AT + 1,
      memory: { physical: 0x81234, first: 0, second: 1 },
    });
  });

  test('say so where the difference does not come again', () => {
    let reads = 0;
    const [a, b] = [timeline(() => 7), timeline(() => (reads++ === 0 ? 8 : 7))];
    expect(toEnd(new Lockstep(a, b))).toMatchObject({ isRepeated: false });
  });
});
