/** Events on their way to the guest: the frames they make, when they come, and what they find in the way. */
import { describe, expect, test } from 'vitest';
import * as L from '../../src/cpu/state-layout.js';
import { PENDING } from '../../src/vmi/layout.js';
import {
  GDT,
  Guest,
  handler,
  IDT,
  INTERRUPT_GATE,
  IRQ5,
  KERNEL_CS,
  KERNEL_STACK,
  START,
  TRAP_GATE,
  USER_CODE,
  USER_CS,
  USER_DS,
  USER_STACK,
} from './support/guest.js';

const EFLAGS_IF = 0x200;
const scheme = 'rollforward';
const STI = 0xfb;
const CLI = 0xfa;
const NOP = 0x90;
const UD2 = [0x0f, 0x0b];

function open(guest: Guest): Guest {
  guest.runTo(START + 2, 5);
  return guest;
}

function guestWith(...code: readonly number[]): Guest {
  return new Guest([...code, 0xeb, 0xfe], { scheme });
}

describe('a frame', () => {
  test('from CPL 3 lies on the kernel stack, with SS, ESP, and IF as it was', () => {
    const guest = open(guestWith(STI, NOP));
    guest.enterUser();
    guest.raise();
    guest.step();
    expect(guest.eip).toBe(handler(IRQ5));
    expect(guest.state.esp).toBe(KERNEL_STACK - 20);
    expect(guest.stack(5)).toEqual([USER_CODE, USER_CS, 0x202, USER_STACK, USER_DS]);
    expect(guest.state.cpl).toBe(1);
  });

  test('from the kernel lies on the present stack', () => {
    const guest = open(guestWith(STI, NOP));
    const { esp } = guest.state;
    guest.raise();
    guest.step();
    expect(guest.state.esp).toBe(esp - 12);
    expect(guest.stack(3)).toEqual([START + 2, KERNEL_CS | 1, 0x202]);
  });

  test.each([
    [6, UD2, null, START],
    [0, [0xf7, 0xf1], null, START],
    [3, [0xcc], null, START + 1],
    [14, [0xa1, 0, 0, 0, 0xfd], 13, START],
  ] as const)(
    'of vector %i has an error code where native ones have',
    (vector, code, other, eip) => {
      const guest = guestWith(...code);
      guest.state.set(L.ECX, 0);
      guest.step();
      // Beyond the hole the segment ends, before any page is looked for.
      expect(guest.eip).toBe(handler(other ?? vector));
      const [first, second] = guest.stack(2);
      expect(other === null ? first : second).toBe(eip);
    },
  );

  test('shows virtual IF, not the real one', () => {
    const guest = guestWith(...UD2);
    guest.step();
    expect(guest.stack(3)[2] & EFLAGS_IF).toBe(0);
  });
});

describe('virtual IF', () => {
  test.each([
    [INTERRUPT_GATE, false],
    [TRAP_GATE, true],
  ])('on entry through a gate of type %i is %s', (type, isOpen) => {
    const guest = open(guestWith(STI, NOP));
    guest.setGate(IRQ5, type);
    guest.raise();
    guest.step();
    expect([guest.eip, guest.interruptFlag]).toEqual([handler(IRQ5), isOpen]);
  });
});

describe('an IRQ', () => {
  test('waits while virtual IF is clear, and shows as pending', () => {
    const guest = guestWith(NOP, NOP, NOP);
    guest.raise();
    guest.step(2);
    expect(guest.eip).toBe(START + 2);
    expect(guest.read(PENDING)).toBe(1);
  });

  test('is held off by an emulated STI for one instruction', () => {
    const guest = guestWith(STI, NOP, NOP);
    guest.raise();
    guest.step(3);
    expect(guest.eip).toBe(handler(IRQ5));
    expect(guest.stack(1)).toEqual([START + 2]);
  });

  test('never comes between STI and CLI', () => {
    const guest = guestWith(STI, CLI, NOP);
    guest.raise();
    guest.step(3);
    expect(guest.eip).toBe(START + 3);
  });

  test('comes after the write to the mask that lets it through', () => {
    // XOR AL, AL; OUT 21h, AL
    const guest = open(guestWith(STI, NOP, 0x30, 0xc0, 0xe6, 0x21, NOP, NOP));
    guest.machine.ports.write(0x21, 1, 0x20);
    guest.raise();
    guest.runTo(handler(IRQ5), 5);
  });

  test('comes after the EOI that makes room for it', () => {
    const guest = open(guestWith(STI, NOP));
    guest.raise();
    guest.step();
    // The handler: MOV AL, 20h; OUT 20h, AL; STI; NOP
    guest.machine.cpu.core.physical.load(
      handler(IRQ5),
      Uint8Array.of(0xb0, 0x20, 0xe6, 0x20, STI, NOP, NOP, 0xeb, 0xfe),
    );
    guest.raise();
    guest.runTo(handler(IRQ5) + 4, 5);
    guest.step(3);
    expect(guest.eip).toBe(handler(IRQ5));
    expect(guest.stack(1)).toEqual([handler(IRQ5) + 6]);
  });

  test('is not pending any more once it is masked', () => {
    const guest = guestWith(NOP, 0xb0, 0xff, 0xe6, 0x21, STI, NOP, NOP);
    guest.raise();
    guest.step(8);
    expect(guest.read(PENDING)).toBe(0);
    expect(guest.interruptFlag).toBe(true);
    expect(guest.eip).toBe(START + 8);
  });

  test('is taken once', () => {
    const guest = open(guestWith(STI, NOP));
    guest.raise();
    guest.step(10);
    expect(guest.state.esp).toBe(KERNEL_STACK - 0x100 - 12);
  });
});

describe('a gate that cannot be used', () => {
  test('is #NP where it is not present', () => {
    const guest = open(guestWith(STI, NOP));
    guest.setGate(IRQ5, 0x0e00);
    guest.raise();
    guest.step();
    expect(guest.eip).toBe(handler(11));
    expect(guest.stack(1)).toEqual([IRQ5 * 8 + 3]);
  });

  test('is #GP where a task may not use it', () => {
    const guest = guestWith();
    guest.enterUser([0xcd, 0x40]);
    guest.step();
    expect(guest.eip).toBe(handler(13));
    expect(guest.stack(2)).toEqual([0x40 * 8 + 2, USER_CODE]);
  });

  test('is one of the kernel for the kernel, at CPL 1', () => {
    const guest = guestWith(0xcd, 0x40);
    guest.step();
    expect(guest.eip).toBe(handler(0x40));
    expect(guest.stack(1)).toEqual([START + 2]);
  });

  test('is #GP where it is none', () => {
    const guest = guestWith(...UD2);
    guest.setGate(6, 0x8200);
    guest.step();
    expect(guest.eip).toBe(handler(13));
    expect(guest.stack(1)).toEqual([6 * 8 + 3]);
  });

  test('is a double fault where #GP has none either, and then a shutdown', () => {
    const guest = open(guestWith(STI, NOP));
    guest.write(IDT + 13 * 8, 0, 0);
    guest.enterUser([CLI]);
    guest.step();
    expect(guest.eip).toBe(handler(8));
    const shut = guestWith(...UD2);
    for (const vector of [6, 8, 13]) shut.write(IDT + vector * 8, 0, 0);
    expect(shut.machine.run(shut.machine.cpu.instant + 5)).toBe('shutdown');
  });
});

describe("the guest's descriptors", () => {
  test('have a DPL of 1 for 0 and end below the hole', () => {
    // LAR EAX, CX; LSL EDX, CX
    const guest = guestWith(0x0f, 0x02, 0xc1, 0x0f, 0x03, 0xd1);
    guest.state.set(L.ECX, KERNEL_CS);
    guest.step(2);
    expect((guest.state.get(L.EAX) >>> 13) & 3).toBe(1);
    expect(guest.state.get(L.EDX) >>> 0).toBe(0xfbffffff);
  });

  test('may change from one load to the next, as the table does', () => {
    const guest = guestWith(0x0f, 0x03, 0xd1);
    guest.write(GDT + KERNEL_CS, 0x00001234, 0x00409a00);
    guest.state.set(L.ECX, KERNEL_CS);
    guest.step();
    expect(guest.state.get(L.EDX)).toBe(0x1234);
  });

  test('keep a base above the hole from being used at all', () => {
    const guest = guestWith(0x0f, 0x03, 0xd1);
    guest.write(GDT + KERNEL_CS, 0x0000ffff, 0xfdcf9a00 | 0);
    guest.state.set(L.ECX, KERNEL_CS);
    guest.step();
    expect(guest.state.get(L.EDX) >>> 0).toBeLessThan(0x1000);
  });
});

test('no state is left behind: a saved machine goes on as it did', () => {
  const guest = guestWith(STI, NOP, NOP, NOP);
  guest.raise();
  const ram = guest.machine.cpu.core.physical.ram.slice();
  const saved = guest.machine.save();
  guest.step(3);
  const after = guest.machine.save();
  guest.machine.cpu.core.physical.load(0, ram);
  guest.machine.restore(saved);
  guest.step(3);
  expect(guest.machine.save()).toEqual(after);
});
