/**
 * IRETs that the stub leaves to the hypervisor, and one to user code that isn't there, with an event
 * before each instruction: what comes of it is what bare hardware gives, but for ESP on a 16-bit stack.
 */
import { describe, expect, test } from 'vitest';
import { setSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import {
  Guest,
  handler,
  IRQ5,
  KERNEL_STACK,
  START,
  USER_CODE,
  USER_CS,
  USER_DS,
  USER_STACK,
} from './support/guest.js';

const IF = 0x200;
const VM = 0x20000;
const NMI = 2;
const IRET = [0xcf, 0x66, 0x66, 0x66, 0x90, 0xeb, 0xfe];
const LDT = 0x13000;
const UPPER = 0x5a170000;
/** The longest way through the stub; and more than that. */
const STUB_STEPS = 18;
const PLACES = Array.from({ length: 20 }, (_, at) => at);

function before(isBare: boolean, frame: readonly number[]): Guest {
  const sites = [{ call: 39, address: START, length: 5 }];
  const guest = new Guest(IRET, { scheme: isBare ? null : 'rollforward', sites });
  const { core } = guest.machine.cpu;
  core.physical.load(USER_CODE, Uint8Array.of(0xeb, 0xfe));
  // A stack of 16 bits that begins at 0x10000.
  guest.write(LDT, 0x0000ffff, 0x0000f201);
  setSegment(core, L.SEG_LDTR, 0x38, LDT, 7, 0x82);
  guest.state.esp = KERNEL_STACK - 4 * frame.length;
  guest.write(guest.state.esp, ...frame);
  return guest;
}

/** The handler's frame, with the kernel's RPL as natively. */
function frameAt(guest: Guest, vector: number, words: number): number[] {
  guest.runTo(handler(vector), 80);
  return guest.stack(words);
}

function raise(guest: Guest, event: 'irq' | 'nmi'): void {
  if (event === 'irq') guest.raise();
  else guest.machine.inject({ kind: 'nmi' });
}

describe('onto a 16-bit stack of the LDT', () => {
  const pointer = UPPER | 0xa000;
  const frame = [USER_CODE, USER_CS, IF | 2, pointer, 0x07];

  test('all of ESP is what the frame says; bare hardware leaves the upper half the kernel’s', () => {
    const [bare, guest] = [before(true, frame), before(false, frame)];
    bare.runTo(USER_CODE, 30);
    guest.runTo(USER_CODE, 30);
    expect(guest.state.esp).toBe(pointer);
    expect(bare.state.esp).toBe((KERNEL_STACK & ~0xffff) | 0xa000);
  });

  test.each(PLACES)('an IRQ after %i steps finds it so', (at) => {
    const guest = before(false, frame);
    guest.step(at);
    guest.raise();
    expect(frameAt(guest, IRQ5, 5)).toEqual(frame);
  });

  test.each(PLACES)('an NMI after %i steps finds it so, or comes before the IRET', (at) => {
    const guest = before(false, frame);
    guest.step(at);
    guest.machine.inject({ kind: 'nmi' });
    const seen = frameAt(guest, NMI, 5);
    if (seen[0] === START) expect(seen[1]).toBe(0x09);
    else expect(seen).toEqual(frame);
  });
});

describe('to virtual-8086 mode', () => {
  const frame = [0x100, USER_CODE >> 4, VM | IF | 2, 0x200, 0x1a00, 0x1111, 0x2222, 0x3333, 0x4444];
  const code = (guest: Guest): void => {
    guest.machine.cpu.core.physical.load(USER_CODE + 0x100, Uint8Array.of(0x90, 0xfa));
  };

  test('CLI there is the monitor’s #GP, on a frame of virtual-8086 mode', () => {
    const frames = [true, false].map((isBare) => {
      const guest = before(isBare, frame);
      code(guest);
      return frameAt(guest, 13, 10);
    });
    expect(frames[1]).toEqual(frames[0]);
    expect(frames[1].slice(1)).toEqual([0x101, ...frame.slice(1)].with(2, frame[2] | 0x10000));
  });

  test.each(PLACES)('an IRQ after %i steps finds a frame of virtual-8086 mode', (at) => {
    const guest = before(false, frame);
    guest.machine.cpu.core.physical.load(USER_CODE + 0x100, Uint8Array.of(0xeb, 0xfe));
    guest.step(at);
    guest.raise();
    expect(frameAt(guest, IRQ5, 9)).toEqual(frame);
  });
});

describe('to a page that is not there', () => {
  const frame = [USER_CODE, USER_CS, IF | 2, USER_STACK, USER_DS];

  function paged(isBare: boolean): Guest {
    const guest = before(isBare, frame);
    guest.enablePaging();
    guest.setPage(USER_CODE, false);
    return guest;
  }
  const expected = frameAt(paged(true), 14, 6);

  test('is #PF of user mode', () => {
    expect(frameAt(paged(false), 14, 6)).toEqual(expected);
    expect(expected.slice(0, 3)).toEqual([4, USER_CODE, USER_CS]);
  });

  test.each(PLACES.flatMap((at) => [[at, 'irq', IRQ5] as const, [at + 1, 'nmi', NMI] as const]))(
    '%s steps on, %s comes before the fault unless it is late',
    (at, event, vector) => {
      const guest = paged(false);
      guest.step(at);
      raise(guest, event);
      // Behind the IRET the fault has been first.
      guest.runTo(handler(at > STUB_STEPS ? 14 : vector), 80);
      expect(guest.stack(2)).toEqual(at > STUB_STEPS ? expected.slice(0, 2) : [USER_CODE, USER_CS]);
    },
  );
});
