/**
 * What each IRET scheme makes of an event before each instruction of its stub: what bare hardware gives,
 * but for the limits that the scheme is known for.
 */
import { describe, expect, test } from 'vitest';
import * as L from '../../src/cpu/state-layout.js';
import type { IretScheme } from '../../src/vmi/iret-stubs.js';
import type { Repair } from '../../src/vmi/region-code.js';
import { describeViolation, type Violation } from '../../src/vmi/violations.js';
import {
  Guest,
  handler,
  IRQ5,
  KERNEL_CS,
  KERNEL_STACK,
  START,
  USER_CODE,
  USER_CS,
  USER_DS,
  USER_STACK,
} from './support/guest.js';

const NMI = 2;
const IF = 0x200;
const LANDING = START + 0x40;
const EAX = 0x11111111;
const IRET = [0xcf, 0x66, 0x66, 0x66, 0x90, 0xeb, 0xfe];
const TO_USER = [USER_CODE, USER_CS, IF | 2, USER_STACK, USER_DS];
const TO_KERNEL = [LANDING, KERNEL_CS, IF | 2];

function beforeIret(scheme: IretScheme | null, frame: readonly number[]): Guest {
  const guest = new Guest(IRET, { scheme, sites: [{ call: 39, address: START, length: 5 }] });
  const loop = Uint8Array.of(0xeb, 0xfe);
  guest.machine.cpu.core.physical.load(USER_CODE, loop);
  guest.machine.cpu.core.physical.load(LANDING, loop);
  const cpl = scheme === null ? 0 : 1;
  // A frame to user mode lies at the top of the kernel stack, as an entry from there has left it.
  if (frame.length > 3) guest.state.esp = KERNEL_STACK - 4 * frame.length;
  guest.write(guest.state.esp, ...frame.map((word) => (word === KERNEL_CS ? word | cpl : word)));
  return guest;
}

/** What the handler finds, with CS as at CPL 0; null where it is not entered. */
function found(guest: Guest, vector: number, words: number): unknown {
  for (let i = 0; i < 60 && guest.eip !== handler(vector); i++) guest.step();
  if (guest.eip !== handler(vector)) return null;
  const frame = guest.stack(words);
  if ((frame[1] & 3) === 1) frame[1] -= 1;
  return { frame, esp: guest.state.esp, eax: guest.state.get(L.EAX), isOpen: guest.interruptFlag };
}

/** The steps from the site to behind the IRET: the repair of each, `none` of the CALL. */
function repairs(scheme: IretScheme, frame: readonly number[], landing: number): Repair[] {
  const guest = beforeIret(scheme, frame);
  const seen: Repair[] = [];
  while (guest.eip !== landing) {
    seen.push(guest.hypervisor!.region.iretStages.get(guest.eip)?.repair ?? 'none');
    guest.step();
  }
  return seen;
}

function watch(guest: Guest): Violation[] {
  const violations: Violation[] = [];
  guest.hypervisor!.onViolation = (violation) => {
    violations.push(violation);
  };
  return violations;
}

const RETURNS = [
  ['user mode', TO_USER, USER_CODE],
  ['an open kernel', TO_KERNEL, LANDING],
] as const;

describe.each(['rollforward', 'rollback', 'fold', 'defer'] as const)('%s', (scheme) => {
  describe.each(RETURNS)('on the way to %s', (_name, frame, landing) => {
    const words = frame.length;
    const way = repairs(scheme, frame, landing);
    const native = beforeIret(null, frame);
    native.raise();
    const expected = found(native, IRQ5, words);
    // The last instructions of a scheme that holds, from behind the look at PENDING on.
    const late = way.flatMap((repair, at) =>
      repair === 'hold' && at >= way.length - (scheme === 'defer' ? 3 : 5) ? [at] : [],
    );

    test.each(way.map((_, at) => at).filter((at) => !late.includes(at)))(
      'an IRQ after %i steps is as on bare hardware',
      (at) => {
        const guest = beforeIret(scheme, frame);
        const violations = watch(guest);
        guest.step(at);
        guest.raise();
        expect(found(guest, IRQ5, words)).toEqual(expected);
        expect(violations).toEqual([]);
      },
    );

    test.each(late)('an IRQ after %i steps waits until the guest traps', (at) => {
      const guest = beforeIret(scheme, frame);
      const violations = watch(guest);
      guest.step(at);
      guest.raise();
      expect(found(guest, IRQ5, words)).toBeNull();
      expect([guest.eip, guest.interruptFlag]).toEqual([landing, true]);
      // UD2 is trap enough.
      guest.machine.cpu.core.physical.load(landing, Uint8Array.of(0x0f, 0x0b));
      guest.step(2);
      expect(violations.map(({ kind }) => kind)).toEqual(['stranded']);
      expect(describeViolation(violations[0])).toMatch(/left waiting/);
    });

    const nativeNmi = beforeIret(null, frame);
    nativeNmi.step();
    nativeNmi.machine.inject({ kind: 'nmi' });
    const behind = found(nativeNmi, NMI, words);
    const atSite = beforeIret(null, frame);
    atSite.machine.inject({ kind: 'nmi' });
    const before = found(atSite, NMI, 3);

    test.each(way.map((_, at) => at))(
      'an NMI after %i steps comes before or behind the IRET, as on bare hardware',
      (at) => {
        const guest = beforeIret(scheme, frame);
        guest.step(at);
        guest.machine.inject({ kind: 'nmi' });
        const seen = found(guest, NMI, words) as { frame: number[] };
        if (seen.frame[0] === START) {
          expect({ ...seen, frame: seen.frame.slice(0, 3).map(withoutArithmetic) }).toEqual({
            ...(before as object),
            frame: (before as { frame: number[] }).frame.map(withoutArithmetic),
          });
        } else expect(seen).toEqual(behind);
      },
    );
  });
});

/** EFLAGS without the flags that the stub changes, which IRET loads anyway; other words are as they are. */
function withoutArithmetic(word: number, place: number): number {
  return place === 2 ? word & ~0x8d5 : word;
}

test.each([
  ['EnableInterrupts', 35, [0xfb, 0x66, 0x66, 0x66, 0x90]],
  ['DisableInterrupts', 36, [0xfa, 0x66, 0x66, 0x66, 0x90]],
  ['GetInterruptMask', 37, [0x9c, 0x58, 0x66, 0x66, 0x90]],
  ['SYSEXIT', 40, [0xfb, 0x0f, 0x35, 0x66, 0x90]],
  ['Halt', 42, [0xfb, 0xf4, 0x66, 0x66, 0x90]],
] as const)(
  'rollback: an IRQ that a return to the kernel leaves waiting is reported, though %s comes next',
  (_name, call, bytes) => {
    const guest = new Guest(IRET, {
      scheme: 'rollback',
      sites: [
        { call: 39, address: START, length: 5 },
        { call, address: LANDING, length: 5 },
      ],
      code: [[LANDING, [...bytes, 0xeb, 0xfe]]],
    });
    const violations = watch(guest);
    guest.write(guest.state.esp, LANDING, KERNEL_CS | 1, IF | 2);
    const { region } = guest.hypervisor!;
    guest.runTo(Math.max(...region.iretStages.keys()), 30);
    guest.raise();
    guest.runTo(LANDING, 3);
    expect([guest.interruptFlag, guest.hypervisor!.holdsInterrupt, violations]).toEqual([
      true,
      true,
      [],
    ]);
    guest.step(6);
    expect(violations.map(({ kind }) => kind)).toContain('stranded');
  },
);

describe('naive', () => {
  test.each(RETURNS)('nests an IRQ once virtual IF is set, on the way to %s', (_name, frame) => {
    const guest = beforeIret('naive', frame);
    const violations = watch(guest);
    while (!guest.interruptFlag) guest.step();
    expect(guest.hypervisor!.region.iretStages.has(guest.eip)).toBe(true);
    guest.raise();
    guest.runTo(handler(IRQ5), 5);
    expect(guest.stack(2)[1] & 3).toBe(1);
    expect(violations.map(({ kind }) => kind)).toEqual(['nested']);
  });

  test.each([1, 2, 3, 4, 5])('leaves an IRQ that came after %i steps waiting', (at) => {
    const guest = beforeIret('naive', TO_USER);
    guest.step(at);
    guest.raise();
    expect(found(guest, IRQ5, 5)).toBeNull();
    expect(guest.interruptFlag).toBe(true);
  });
});

test('rollback to user mode opens interrupts whatever the frame says', () => {
  const guest = beforeIret('rollback', [USER_CODE, USER_CS, 2, USER_STACK, USER_DS]);
  const violations = watch(guest);
  guest.runTo(USER_CODE, 30);
  expect(guest.interruptFlag).toBe(true);
  const closed = beforeIret('rollforward', [USER_CODE, USER_CS, 2, USER_STACK, USER_DS]);
  const reported = watch(closed);
  closed.machine.cpu.core.physical.load(USER_CODE, Uint8Array.of(0x0f, 0x0b));
  closed.runTo(handler(6), 30);
  expect(violations).toEqual([]);
  expect(reported.map(({ kind }) => kind)).toEqual(['closed-user']);
});

test.each(['rollforward', 'rollback', 'fold', 'defer'] as const)(
  '%s restores EAX, and virtual IF, where the frame names no segment',
  (scheme) => {
    const guest = beforeIret(scheme, [USER_CODE, 0x7b, IF | 2, USER_STACK, USER_DS]);
    guest.runTo(handler(13), 30);
    expect([guest.stack(2), guest.state.get(L.EAX)]).toEqual([[0x78, START], EAX]);
    expect(guest.interruptFlag).toBe(false);
  },
);
