/** Each call leaves an event with its site, arguments and result, whether it traps or not. */
import { describe, expect, test } from 'vitest';
import { EFLAGS_ARITHMETIC, readEflags } from '../../src/cpu/eflags.js';
import { setNullSegment } from '../../src/cpu/segmentation.js';
import * as L from '../../src/cpu/state-layout.js';
import { VMI_CALLS } from '../../src/vmi/calls.js';
import { Guest, handler, KERNEL_STACK, START, TSS, USER_CODE } from './support/guest.js';

interface Noted {
  readonly call: number;
  readonly site: number;
  readonly args: readonly number[];
  readonly result: number | null;
}

/** A guest with one site, and the calls that it makes. */
function guestCalling(call: number): { guest: Guest; calls: Noted[] } {
  const { opening } = VMI_CALLS.find(({ number }) => number === call)!;
  const fill = Array.from({ length: 5 - opening.length }, () => 0x90);
  const guest = new Guest([...opening, ...fill, 0xeb, 0xfe], {
    scheme: 'rollforward',
    sites: [{ call, address: START, length: 5 }],
  });
  const calls: Noted[] = [];
  guest.machine.observer = {
    irqRaised: () => undefined,
    irqAccepted: () => undefined,
    shimCalled: (number, site, args, result) =>
      calls.push({ call: number, site, args: [...args], result }),
  };
  return { guest, calls };
}

// call, EAX before, the steps of it, arguments, result, EAX after (null: as before)
// biome-ignore format: table
const CALLS: readonly (readonly [number, number, number, readonly number[], number | null, number | null])[] = [
  [5, 1, 3, [1], 0x6d2, null],
  [24, 5, 1, [], 0x11, 0x11],
  [35, 7, 5, [], null, 7],
  [36, 7, 3, [], null, 7],
  [37, 7, 3, [], 0, 0],
  [38, 0x200, 7, [0x200], null, 0x200],
  [38, 0, 5, [0], null, 0],
  [71, 0x3000, 3, [0x3000], null, 0x3000],
];

describe('call', () => {
  test.each(CALLS)(
    '%i with EAX %i takes %i steps and is noted',
    (call, eax, steps, args, result, after) => {
      const { guest, calls } = guestCalling(call);
      guest.state.set(L.EAX, eax);
      const others = [L.EBX, L.ESI, L.EDI, L.EBP, L.ESP].map((word) => guest.state.get(word));
      let taken = 0;
      for (; guest.eip !== START + 5 && taken < 20; taken++) guest.step();
      expect(taken).toBe(steps);
      expect(calls).toHaveLength(1);
      expect(calls[0]).toMatchObject({ call, site: START, args });
      if (call !== 5 && call !== 24) expect(calls[0].result).toBe(result);
      else expect(calls[0].result).toBe(guest.state.get(L.EAX));
      if (after !== null && call !== 24) expect(guest.state.get(L.EAX)).toBe(after);
      // CPUID alone changes EBX.
      const now = [L.EBX, L.ESI, L.EDI, L.EBP, L.ESP].map((word) => guest.state.get(word));
      expect(now.slice(call === 5 ? 1 : 0)).toEqual(others.slice(call === 5 ? 1 : 0));
    },
  );

  test('39 is noted once, whether it traps or not', () => {
    for (const isPending of [false, true]) {
      const { guest, calls } = guestCalling(39);
      guest.write(guest.state.esp, START + 0x20, 0x09, 0x202);
      if (isPending) guest.raise();
      guest.step(20);
      expect(calls).toEqual([{ call: 39, site: START, args: [], result: null }]);
    }
  });

  test('6 and 7 are noted at their sites, with their register', () => {
    for (const call of [6, 7]) {
      const { guest, calls } = guestCalling(call);
      guest.state.set(L.ECX, 0x175);
      guest.state.set(L.EAX, 0x1234);
      guest.state.set(L.EDX, 0);
      guest.step();
      const expected =
        call === 6 ? { args: [0x175, 0x1234, 0], result: null } : { args: [0x175], result: 0 };
      expect(calls).toEqual([{ call, site: START, ...expected }]);
    }
  });

  test('19 and 42 are noted with what they take', () => {
    const stack = guestCalling(19);
    stack.guest.state.set(L.EAX, TSS);
    stack.guest.state.set(L.EDX, KERNEL_STACK - 64);
    stack.guest.runTo(START + 5, 5);
    expect(stack.calls).toEqual([
      { call: 19, site: START, args: [TSS, KERNEL_STACK - 64], result: null },
    ]);
    const halt = guestCalling(42);
    halt.guest.step(2);
    expect(halt.calls).toEqual([{ call: 42, site: START, args: [], result: null }]);
  });
});

// What a call may change, besides arithmetic flags.
const RESULTS: Readonly<Record<number, readonly number[]>> = {
  5: [L.EAX, L.EBX, L.ECX, L.EDX],
  37: [L.EAX],
};

describe('on null DS, ES, FS and GS', () => {
  test.each([5, 35, 36, 37, 38, 71])('call %i keeps all registers but its results', (call) => {
    const { guest } = guestCalling(call);
    const { state } = guest;
    const data = [L.SEG_DS, L.SEG_ES, L.SEG_FS, L.SEG_GS] as const;
    for (const segment of data) setNullSegment(guest.machine.cpu.core, segment);
    const registers = [L.EAX, L.ECX, L.EDX, L.EBX, L.ESP, L.EBP, L.ESI, L.EDI];
    const kept = registers.filter((register) => !(RESULTS[call] ?? []).includes(register));
    kept.forEach((register, at) => {
      if (register !== L.ESP) state.set(register, 0x01010101 * (at + 1));
    });
    const seen = (): number[] => [
      ...kept.map((register) => state.get(register)),
      ...data.map((segment) => state.selector(segment)),
      readEflags(state) & ~EFLAGS_ARITHMETIC,
    ];
    const before = seen();
    guest.runTo(START + 5, 10);
    expect(seen()).toEqual(before);
  });
});

describe('UpdateKernelStack of a TSS that is not there', () => {
  test.each([
    ['at all', 0x40000, 0x40000],
    ['where ESP0 is', 0x40ffc - 4, 0x40000],
    ['where SS0 is', 0x40ffc - 4, 0x41000],
  ])('%s is #PF at the site, as of the native store where that faults', (_name, tss, page) => {
    const [bare, inline] = [null, 'rollforward' as const].map((scheme) => {
      const guest = new Guest([0x89, 0x50, 0x04, 0x66, 0x90, 0xeb, 0xfe], {
        scheme,
        sites: [{ call: 19, address: START, length: 5 }],
      });
      guest.enablePaging();
      guest.setPage(page, false);
      guest.state.set(L.EAX, tss);
      for (let steps = 0; steps < 4 && guest.eip !== handler(14); steps++) guest.step();
      if (guest.eip !== handler(14)) return null;
      const [error, eip, cs] = guest.stack(3);
      return [error, eip, cs & ~1, guest.state.esp, guest.state.get(L.CR2)];
    });
    // The native store reads no SS0.
    expect(inline).toEqual(bare ?? [0, START, 8, expect.any(Number), 0x41000]);
  });
});

describe('virtual IOPL', () => {
  function userGuest(code: readonly number[], iopl: number): Guest {
    const { guest } = guestCalling(71);
    guest.state.set(L.EAX, iopl << 12);
    guest.runTo(START + 5, 5);
    guest.enterUser(code);
    return guest;
  }

  test.each([
    ['OUT', [0xe6, 0x80], 2],
    ['IN', [0xe4, 0x80], 2],
    ['CLI', [0xfa], 1],
    ['STI', [0xfb], 1],
  ])('of 3 lets user mode execute %s', (_name, code, length) => {
    const guest = userGuest(code, 3);
    guest.step();
    expect([guest.eip, guest.state.cpl]).toEqual([USER_CODE + length, 3]);
  });

  test.each([0, 1, 2])('of %i does not', (iopl) => {
    const guest = userGuest([0xe6, 0x80], iopl);
    guest.step();
    expect(guest.eip).toBe(handler(13));
    expect((guest.stack(4)[3] >>> 12) & 3).toBe(iopl);
  });

  test('leaves HLT a fault', () => {
    const guest = userGuest([0xf4], 3);
    guest.step();
    expect(guest.eip).toBe(handler(13));
  });
});
