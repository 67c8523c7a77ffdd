/**
 * An event at every instruction boundary of the published region, against what bare hardware gives the
 * same guest.
 */
import { describe, expect, test } from 'vitest';
import * as L from '../../src/cpu/state-layout.js';
import {
  ABSENT_CS,
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

const NOP = 0x90;
const IRET = [0xcf, 0x66, 0x66, 0x66, 0x90];
const STI = [0xfb, 0x66, 0x66, 0x66, 0x90];
const STI_SYSEXIT = [0xfb, 0x0f, 0x35, 0x66, 0x90];
const SITE_IRET = [{ call: 39, address: START, length: 5 }];
const SITE_SYSEXIT = [{ call: 40, address: START, length: 5 }];
const NMI = 2;
const EFLAGS_IF = 0x200;
const LANDING = START + 0x40;

/** A guest at its IRET, with this frame on the stack, interrupts off. */
function beforeIret(scheme: 'rollforward' | 'naive' | null, frame: readonly number[]): Guest {
  const guest = new Guest([...IRET, NOP, NOP], { scheme, sites: SITE_IRET });
  const kernelCs = scheme === null ? KERNEL_CS : KERNEL_CS | 1;
  guest.machine.cpu.core.physical.load(USER_CODE, Uint8Array.of(0xeb, 0xfe));
  guest.machine.cpu.core.physical.load(LANDING, Uint8Array.of(0xeb, 0xfe));
  guest.write(guest.state.esp, ...frame.map((word) => (word === KERNEL_CS ? kernelCs : word)));
  return guest;
}

const TO_USER = [USER_CODE, USER_CS, EFLAGS_IF | 2, USER_STACK, USER_DS];
const TO_KERNEL = [LANDING, KERNEL_CS, EFLAGS_IF | 2];
const TO_CLOSED_KERNEL = [LANDING, KERNEL_CS, 2];

/** What the handler finds: the frame with the kernel's RPL as natively, ESP, EAX, and IF. */
function found(guest: Guest, vector: number, words: number): unknown {
  guest.runTo(handler(vector), 50);
  const frame = guest.stack(words);
  const codeAt = words - (words > 4 ? 4 : 2);
  if ((frame[codeAt] & 3) === 1) frame[codeAt] -= 1;
  return { frame, esp: guest.state.esp, eax: guest.state.get(L.EAX), isOpen: guest.interruptFlag };
}

/** The addresses that a guest without events passes from START until it has left the region. */
function boundaries(make: () => Guest, end: number): number {
  const guest = make();
  let steps = 0;
  while (guest.eip !== end) {
    guest.step();
    steps += 1;
  }
  return steps;
}

describe.each([
  ['to user mode', TO_USER, USER_CODE, 18],
  ['to an open kernel', TO_KERNEL, LANDING, 15],
] as const)('an IRET %s', (_name, frame, landing, cost) => {
  const words = frame.length;
  const native = beforeIret(null, frame);
  native.raise();
  const expected = found(native, IRQ5, words);
  const steps = boundaries(() => beforeIret('rollforward', frame), landing);

  test('passes through the whole stub', () => expect(steps).toBe(cost));

  test.each(Array.from({ length: steps + 1 }, (_, at) => at))(
    'with an IRQ after %i steps of it is as on bare hardware',
    (at) => {
      const guest = beforeIret('rollforward', frame);
      guest.step(at);
      guest.raise();
      expect(found(guest, IRQ5, words)).toEqual(expected);
    },
  );

  const nativeNmi = beforeIret(null, frame);
  nativeNmi.step();
  nativeNmi.machine.inject({ kind: 'nmi' });
  const expectedNmi = found(nativeNmi, NMI, words);

  test.each(Array.from({ length: steps }, (_, at) => at + 1))(
    'with an NMI after %i steps of it is as on bare hardware, the NMI behind the IRET',
    (at) => {
      const guest = beforeIret('rollforward', frame);
      guest.step(at);
      guest.machine.inject({ kind: 'nmi' });
      expect(found(guest, NMI, words)).toEqual(expectedNmi);
    },
  );
});

test.each(Array.from({ length: 16 }, (_, at) => at))(
  'an IRET to a kernel with interrupts off holds an IRQ that comes after %i steps',
  (at) => {
    const guest = beforeIret('rollforward', TO_CLOSED_KERNEL);
    guest.step(at);
    guest.raise();
    guest.step(20);
    expect(guest.eip).toBe(LANDING);
    expect(guest.interruptFlag).toBe(false);
  },
);

describe('an IRET whose frame names an absent segment', () => {
  const frame = [USER_CODE, ABSENT_CS, EFLAGS_IF | 2, USER_STACK, USER_DS];
  // The stub's own arithmetic flags show in what the fault pushes: IRET promises none where it fails.
  const withoutArithmetic = (guest: Guest): unknown => {
    const seen = found(guest, 11, 4) as { frame: number[] };
    seen.frame[3] &= ~0x8d5;
    return seen;
  };
  const expected = withoutArithmetic(beforeIret(null, frame));

  test.each(Array.from({ length: 17 }, (_, at) => at))(
    'faults at its site with interrupts off, an IRQ after %i steps of it notwithstanding',
    (at) => {
      const guest = beforeIret('rollforward', frame);
      guest.step(at);
      guest.raise();
      expect(withoutArithmetic(guest)).toEqual(expected);
    },
  );
});

test('a frame of the kernel that says CPL 0 is one of CPL 1', () => {
  const guest = beforeIret('rollforward', [0, 0, 0]);
  guest.write(guest.state.esp, LANDING, 0x08, 2);
  guest.runTo(LANDING, 30);
  expect(guest.state.cpl).toBe(1);
});

describe('STI; SYSEXIT', () => {
  function before(scheme: 'rollforward' | null): Guest {
    // MOV ECX, 174h; MOV EAX, 8; WRMSR, then the site with the user's EIP and ESP in EDX and ECX.
    const setUp = [0xb9, 0x74, 1, 0, 0, 0xb8, 8, 0, 0, 0, 0x31, 0xd2, 0x0f, 0x30];
    const address = START + setUp.length;
    const sites = [{ call: 40, address, length: 5 }];
    const guest = new Guest([...setUp, ...STI_SYSEXIT], { scheme, sites });
    guest.machine.cpu.core.physical.load(USER_CODE, Uint8Array.of(0xeb, 0xfe));
    guest.runTo(address);
    guest.state.set(L.EDX, USER_CODE);
    guest.state.set(L.ECX, USER_STACK);
    return guest;
  }
  const native = before(null);
  native.raise();
  const expected = found(native, IRQ5, 5);

  test.each([0, 1, 2, 3])('with an IRQ after %i steps is as on bare hardware', (at) => {
    const guest = before('rollforward');
    guest.step(at);
    guest.raise();
    const seen = found(guest, IRQ5, 5) as { frame: number[] };
    // Arithmetic flags are the stub's: SYSEXIT keeps them, and the stub has none to change.
    expect(seen).toEqual(expected);
  });

  test('faults at its site where the guest has no SYSENTER_CS', () => {
    const guest = new Guest(STI_SYSEXIT, { scheme: 'rollforward', sites: SITE_SYSEXIT });
    guest.runTo(handler(13), 20);
    expect(guest.stack(2)).toEqual([0, START]);
  });
});

describe('STI', () => {
  const code = [...STI, ...Array.from({ length: 8 }, () => NOP), 0xeb, 0xfe];
  const sites = [{ call: 35, address: START, length: 5 }];

  test.each([0, 1, 2, 3, 4, 5])('lets in an IRQ that comes after %i steps', (at) => {
    const guest = new Guest(code, { scheme: 'rollforward', sites });
    guest.step(at);
    guest.raise();
    guest.runTo(handler(IRQ5), 20);
    expect(guest.stack(3)[2] & EFLAGS_IF).toBe(EFLAGS_IF);
    expect(guest.interruptFlag).toBe(false);
  });

  test.each([
    [35, true],
    [36, false],
  ])('call %i leaves all registers alone, and virtual IF as it says', (call, isOpen) => {
    const bytes = [call === 35 ? 0xfb : 0xfa, 0x66, 0x66, 0x66, 0x90, 0xeb, 0xfe];
    const guest = new Guest(bytes, { scheme: 'rollforward', sites: [{ ...sites[0], call }] });
    const before = registers(guest);
    guest.runTo(START + 5, 10);
    expect(registers(guest)).toEqual(before);
    expect(guest.interruptFlag).toBe(isOpen);
  });
});

describe('the calls that save and restore IF', () => {
  const save = [0x9c, 0x58, 0x66, 0x66, 0x90];
  const restore = [0x50, 0x9d, 0x66, 0x66, 0x90];

  test.each([0, 0x200])('give and take %i in EAX alone', (flags) => {
    const guest = new Guest([...restore, ...save, 0xeb, 0xfe], {
      scheme: 'rollforward',
      sites: [
        { call: 38, address: START, length: 5 },
        { call: 37, address: START + 5, length: 5 },
      ],
    });
    guest.state.set(L.EAX, flags | 0x1001);
    guest.runTo(START + 5, 10);
    expect(guest.state.get(L.EAX)).toBe(flags | 0x1001);
    expect(guest.interruptFlag).toBe(flags !== 0);
    guest.runTo(START + 10, 10);
    expect(guest.state.get(L.EAX)).toBe(flags);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('let in an IRQ that comes after %i steps', (at) => {
    const sites = [{ call: 38, address: START, length: 5 }];
    const guest = new Guest([...restore, 0xeb, 0xfe], { scheme: 'rollforward', sites });
    guest.state.set(L.EAX, 0x200);
    guest.step(at);
    guest.raise();
    guest.runTo(handler(IRQ5), 20);
    expect(guest.stack(3)[2] & EFLAGS_IF).toBe(EFLAGS_IF);
  });
});

describe('the naive scheme', () => {
  test('nests an IRQ on the stack that IRET was about to leave', () => {
    const guest = beforeIret('naive', TO_USER);
    while (!guest.interruptFlag) guest.step();
    guest.raise();
    guest.runTo(handler(IRQ5), 20);
    expect(guest.stack(2)[1] & 3).toBe(1);
    expect(guest.state.esp).not.toBe(KERNEL_STACK - 20);
  });

  test('enters user mode with an IRQ pending that came before virtual IF was set', () => {
    const guest = beforeIret('naive', TO_USER);
    guest.step(2);
    guest.raise();
    guest.step(30);
    expect(guest.eip).toBe(USER_CODE);
    expect(guest.interruptFlag).toBe(true);
  });
});

function registers(guest: Guest): number[] {
  return Array.from({ length: 8 }, (_, index) => guest.state.reg32(index));
}
