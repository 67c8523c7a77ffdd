/** Task switches under the hypervisor, against what bare hardware does for the same guest. */
import { describe, expect, test } from 'vitest';
import { EFLAGS_IF, readEflags } from '../../src/cpu/eflags.js';
import * as L from '../../src/cpu/state-layout.js';
import {
  GDT,
  Guest,
  handler,
  IDT,
  IRQ5,
  KERNEL_CS,
  KERNEL_DS,
  START,
  TSS,
  USER_CODE,
  USER_CS,
  USER_DS,
} from './support/guest.js';

const NEW_TSS = 0x14800;
const NEW_TSS_SELECTOR = 0x40;
const NEW_STACK = 0x18c00;
const NEW_CODE = 0x1b800;
const TASK_GATE = 0x8500;
const DOUBLE_FAULT = 8;
const BUSY = 0x200;
const NT = 0x4000;
const IRET_SITE = [0xcf, 0x66, 0x66, 0x66, 0x90];
const STILL = [0xeb, 0xfe];
const CLI = 0xfa;
const UD2 = [0x0f, 0x0b];
const IRET = 39;

interface Task {
  readonly eflags?: number;
  readonly cs?: number;
  readonly ss?: number;
  /** What the new task executes; its site of IRET comes first, if it has one. */
  readonly code?: readonly number[];
  readonly hasSite?: boolean;
}

/** With a second task that waits at NEW_CODE. */
function guestWith(isBare: boolean, code: readonly number[], task: Task = {}): Guest {
  const { eflags = 2, cs = KERNEL_CS, ss = KERNEL_DS, hasSite = false } = task;
  const guest = new Guest([...code, ...STILL], {
    scheme: isBare ? null : 'rollforward',
    sites: hasSite ? [{ call: IRET, address: NEW_CODE, length: 5 }] : [],
    code: [[NEW_CODE, task.code ?? STILL]],
  });
  guest.write(GDT + NEW_TSS_SELECTOR, (NEW_TSS << 16) | 0x67, 0x8900 | (NEW_TSS >> 16));
  guest.state.set(L.GDTR_LIMIT, NEW_TSS_SELECTOR + 7);
  guest.write(NEW_TSS + 4, NEW_STACK - 0x100, KERNEL_DS);
  guest.write(NEW_TSS + 0x1c, guest.state.get(L.CR3), NEW_CODE, eflags);
  const registers = [1, 2, 3, 4, NEW_STACK, 6, 7, 8];
  const segments = [ss, cs, ss, USER_DS, USER_DS, 0, 0];
  guest.write(NEW_TSS + 0x28, ...registers, ...segments);
  guest.write(NEW_TSS + 0x64, 0x680000);
  return guest;
}

function useGate(guest: Guest, vector: number): void {
  guest.write(IDT + vector * 8, NEW_TSS_SELECTOR << 16, TASK_GATE);
}

function native(word: number): number {
  return (word & 0xffff & 3) === 1 ? word & ~3 : word;
}

/** All that a task switch leaves: registers, what both TSSs say, and which of them are busy. */
function left(guest: Guest): unknown {
  const { state } = guest;
  const tss = (at: number): number[] =>
    Array.from({ length: 26 }, (_, word) => {
      const value = guest.read(at + word * 4) >>> 0;
      return word >= 18 && word < 24 ? native(value) : value;
    });
  return {
    eip: guest.eip,
    registers: Array.from({ length: 8 }, (_, register) => state.reg32(register)),
    selectors: (
      [L.SEG_CS, L.SEG_SS, L.SEG_DS, L.SEG_ES, L.SEG_FS, L.SEG_GS, L.SEG_TR] as const
    ).map((at) => native(state.selector(at))),
    flags: readEflags(state) & ~(EFLAGS_IF | 0x3000),
    isOpen: guest.interruptFlag,
    cr0: state.cr0,
    old: tss(TSS),
    now: tss(NEW_TSS),
    isBusy: [0x28, NEW_TSS_SELECTOR].map((at) => (guest.read(GDT + at + 4) & BUSY) !== 0),
    top: native(guest.stack(1)[0]),
  };
}

/** The same guest on bare hardware and under the hypervisor, each as `act` leaves it. */
function both(make: (isBare: boolean) => Guest, act: (guest: Guest) => void): unknown[] {
  return [true, false].map((isBare) => {
    const guest = make(isBare);
    act(guest);
    if (!isBare) {
      expect(guest.state.cpl).not.toBe(0);
      expect(readEflags(guest.state) & 0x3200).toBe(EFLAGS_IF);
    }
    return left(guest);
  });
}

describe("a task gate in the guest's IDT", () => {
  test('of #DF ends in the task, with its error code, as Linux has it', () => {
    const [bare, under] = both(
      (isBare) => {
        const guest = guestWith(isBare, UD2);
        // #UD through no gate is #GP, whose gate is none either.
        for (const vector of [6, 13]) guest.write(IDT + vector * 8, 0, 0);
        useGate(guest, DOUBLE_FAULT);
        return guest;
      },
      (guest) => guest.runTo(NEW_CODE, 5),
    );
    expect(under).toEqual(bare);
    expect(bare).toMatchObject({ top: 0, isBusy: [true, true] });
  });

  test.each([
    ['closed', 2],
    ['open', 0x202],
    ['with IOPL 3', 0x3002],
  ])('takes an interrupt to a task that is %s', (_name, eflags) => {
    const [bare, under] = both(
      (isBare) => {
        const guest = guestWith(isBare, [0xfb, 0x90, 0x90], { eflags });
        useGate(guest, IRQ5);
        return guest;
      },
      (guest) => {
        guest.step(2);
        guest.raise();
        guest.runTo(NEW_CODE, 3);
      },
    );
    expect(under).toEqual(bare);
  });

  test('is left by IRET, at a site, to where the interrupt came', () => {
    const [bare, under] = both(
      (isBare) => {
        const guest = guestWith(isBare, [0xfb, 0x90, 0x90, 0x90], {
          code: IRET_SITE,
          hasSite: true,
        });
        useGate(guest, IRQ5);
        // What IRET with NT set doesn't look at.
        guest.write(NEW_STACK, 0x11111111, 0x08, 0x202, 0x22222222, 0x10);
        return guest;
      },
      (guest) => {
        guest.step(2);
        guest.raise();
        guest.runTo(NEW_CODE, 3);
        guest.runTo(START + 2, 40);
        // The old task's EIP in the new TSS is behind the site: 5 bytes on the one, 1 on the other.
        expect(guest.read(NEW_TSS + 0x20) & ~7).toBe(NEW_CODE);
        guest.write(NEW_TSS + 0x20, 0);
        // Arithmetic flags are the stub's.
        guest.write(NEW_TSS + 0x24, guest.read(NEW_TSS + 0x24) & ~0x8d5);
      },
    );
    expect(under).toEqual(bare);
    expect(bare).toMatchObject({ isOpen: true, isBusy: [true, false] });
  });

  test('comes from user mode too, and its task may be one of user mode', () => {
    const [bare, under] = both(
      (isBare) => {
        const guest = guestWith(isBare, [], { eflags: 0x202, cs: USER_CS, ss: USER_DS });
        useGate(guest, IRQ5);
        guest.step();
        if (!isBare) guest.write(0xc9000, 0x200);
        guest.enterUser();
        return guest;
      },
      (guest) => {
        guest.raise();
        guest.runTo(NEW_CODE, 3);
      },
    );
    expect(under).toEqual(bare);
    expect(bare).toMatchObject({
      selectors: [USER_CS, USER_DS, USER_DS, USER_DS, USER_DS, 0, NEW_TSS_SELECTOR],
    });
  });

  test('of a TSS that is not there is #NP', () => {
    for (const isBare of [true, false]) {
      const guest = guestWith(isBare, UD2);
      useGate(guest, 6);
      guest.write(GDT + NEW_TSS_SELECTOR + 4, 0x0900 | (NEW_TSS >> 16));
      guest.runTo(handler(11), 3);
      expect(guest.stack(2)).toEqual([NEW_TSS_SELECTOR + 1, START]);
    }
  });
});

test.each([
  ['JMP', 0xea],
  ['CALL', 0x9a],
])('a far %s to a TSS whose DPL is 0 switches to it', (_name, opcode) => {
  const [bare, under] = both(
    (isBare) => guestWith(isBare, [opcode, 0, 0, 0, 0, NEW_TSS_SELECTOR, 0], { eflags: 0x3002 }),
    (guest) => guest.runTo(NEW_CODE, 3),
  );
  expect(under).toEqual(bare);
});

test('an event from user mode comes on the stack of the new task’s TSS', () => {
  const guest = guestWith(false, [0xea, 0, 0, 0, 0, NEW_TSS_SELECTOR, 0]);
  guest.runTo(NEW_CODE, 3);
  guest.enterUser(UD2);
  guest.runTo(handler(6), 3);
  expect(guest.state.esp).toBe(NEW_STACK - 0x100 - 20);
  expect(guest.stack(1)).toEqual([USER_CODE]);
});

test('CLI of a task with IOPL 3 still traps, and is what the task sees of it', () => {
  const guest = guestWith(false, [0xea, 0, 0, 0, 0, NEW_TSS_SELECTOR, 0], {
    eflags: 0x3202,
    code: [CLI, ...STILL],
  });
  guest.runTo(NEW_CODE + 1, 3);
  expect(guest.interruptFlag).toBe(false);
  expect(readEflags(guest.state) & (EFLAGS_IF | NT)).toBe(EFLAGS_IF);
});
