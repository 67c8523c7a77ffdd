/** An event at every instruction boundary of every call of the ROM: what it interrupts comes out the same. */
import { describe, expect, test } from 'vitest';
import * as L from '../../src/cpu/state-layout.js';
import { ROM_CALLS } from '../../src/vmi/rom/rom-calls.js';
import { harmless } from './support/harmless.js';
import { KERNEL_CS, RomCaller, STACK, USER_CS, USER_DS } from './support/rom-caller.js';

const IF = 0x200;
const NMI = 2;
const IRQ5 = 0x25;
const ENABLE_INTERRUPTS = 29;
const IRET = 33;
const OPCODE_JMP = 0xe9;
const USER_STACK = 0xc0182000;
const ARITHMETIC = 0x8d5;
/** CPUID changes EBX, RDPMC faults, and these do not come back, or not by themselves. */
const BY_THEMSELVES = new Set([0, 26, IRET, 34, 35, 36, 37]);
const CALLS = ROM_CALLS.filter(({ number }) => number < 0x80 && !BY_THEMSELVES.has(number)).map(
  ({ number, name }) => [number, name] as const,
);

/** A guest at the site of a call, with interrupts open, and a handler of NMIs that returns by the ROM's IRET. */
function atSite(number: number): RomCaller {
  const guest = new RomCaller();
  const { mmu, physical } = guest.machine.cpu.core;
  const handler = guest.handler(NMI);
  physical.load(mmu.peek(handler), Uint8Array.of(OPCODE_JMP));
  guest.write(handler + 1, guest.address('site33') - (handler + 5));
  const registers = harmless(guest, number);
  guest.call(ENABLE_INTERRUPTS);
  guest.goTo(number, registers, [0, 0, 0]);
  return guest;
}

/** What the call comes to, and whether the ticks that it was interrupted by have been counted. */
function outcome(guest: RomCaller, number: number): unknown {
  const result = guest.finish(number);
  const isOpen = guest.hypervisor.interruptFlag;
  return { ...result, isOpen };
}

function ticks(guest: RomCaller): number {
  return guest.read(guest.address('ticks'));
}

function steps(number: number): number {
  const guest = atSite(number);
  let count = 0;
  for (; guest.eip !== guest.address(`behind${number}`); count++) guest.step();
  return count;
}

describe.each(CALLS)('call %i, %s, with interrupts open', (number) => {
  const undisturbed = outcome(atSite(number), number);
  const boundaries = steps(number);

  test('is the same with an interrupt before each of its instructions, which is handled once', () => {
    for (let at = 0; at <= boundaries; at++) {
      const guest = atSite(number);
      const before = ticks(guest);
      guest.step(at);
      guest.machine.pic.pulse(0);
      // The last place is behind the call: there the interrupt must come before anything else.
      if (at < boundaries) expect(outcome(guest, number)).toEqual(undisturbed);
      if (!guest.hypervisor.interruptFlag) guest.call(ENABLE_INTERRUPTS);
      guest.step(60);
      expect(ticks(guest)).toBe(before + 1);
    }
  });

  test('is the same with an NMI before each of its instructions', () => {
    for (let at = 0; at < boundaries; at++) {
      const guest = atSite(number);
      guest.step(at);
      guest.machine.inject({ kind: 'nmi' });
      guest.step();
      expect(guest.eip).toBe(guest.handler(NMI));
      guest.step();
      expect(outcome(guest, number)).toEqual(undisturbed);
    }
  });
});

describe('IRET', () => {
  const places = (make: () => RomCaller, end: (guest: RomCaller) => number): number => {
    const guest = make();
    let count = 0;
    for (; guest.eip !== end(guest); count++) guest.step();
    return count;
  };
  const atIret = (frame: (guest: RomCaller) => number[]): RomCaller => {
    const guest = new RomCaller();
    guest.machine.ports.write(0x21, 1, 0);
    guest.goTo(IRET, {}, frame(guest));
    return guest;
  };
  const toUser = (guest: RomCaller): number[] => [
    guest.address('user_loop'),
    USER_CS,
    IF | 2,
    USER_STACK,
    USER_DS,
  ];
  const toKernel = (guest: RomCaller): number[] => [guest.address('behind0'), KERNEL_CS, IF | 2];
  const toClosed = (guest: RomCaller): number[] => [guest.address('behind0'), KERNEL_CS, 2];
  const irq = (guest: RomCaller): void => guest.machine.inject({ kind: 'irq', line: 5 });

  test.each([
    ['user mode', toUser],
    ['an open kernel', toKernel],
  ] as const)(
    'to %s: an interrupt before each instruction finds the frame left',
    (_name, frame) => {
      const count = places(
        () => atIret(frame),
        (guest) => frame(guest)[0],
      );
      expect(count).toBeGreaterThan(10);
      for (let at = 0; at <= count; at++) {
        const guest = atIret(frame);
        guest.step(at);
        irq(guest);
        guest.runTo(guest.handler(IRQ5));
        const expected = frame(guest);
        expect(guest.stack(expected.length)).toEqual(expected);
        if (expected.length === 3) expect(guest.state.esp >>> 0).toBe(STACK - 12);
        expect(guest.state.get(L.EAX)).toBe(0x11111111);
        expect(guest.hypervisor.interruptFlag).toBe(false);
      }
    },
  );

  test.each([
    ['user mode', toUser],
    ['an open kernel', toKernel],
  ] as const)(
    'to %s: an NMI before each instruction finds the frame left, or the site',
    (_name, frame) => {
      const count = places(
        () => atIret(frame),
        (guest) => frame(guest)[0],
      );
      for (let at = 0; at <= count; at++) {
        const guest = atIret(frame);
        guest.step(at);
        guest.machine.inject({ kind: 'nmi' });
        guest.runTo(guest.handler(NMI));
        const expected = frame(guest);
        if (at === 0) expect(guest.stack(2)).toEqual([guest.address('site33'), KERNEL_CS]);
        else expect(guest.stack(expected.length)).toEqual(expected);
      }
    },
  );

  test('to a closed kernel: an interrupt before any instruction waits', () => {
    const count = places(
      () => atIret(toClosed),
      (guest) => toClosed(guest)[0],
    );
    for (let at = 0; at <= count; at++) {
      const guest = atIret(toClosed);
      guest.step(at);
      irq(guest);
      guest.step(30);
      expect(guest.eip).toBe(guest.address('behind0'));
      expect(guest.hypervisor.interruptFlag).toBe(false);
    }
  });

  test('that faults: an interrupt before any instruction waits, and the fault is at the site', () => {
    // The entry of the TSS is not one that CS takes.
    const toTss = (guest: RomCaller): number[] => [
      guest.address('user_loop'),
      0x83,
      IF | 2,
      USER_STACK,
      USER_DS,
    ];
    const faulting = (at: number | null): number[] => {
      const guest = atIret(toTss);
      if (at !== null) {
        guest.step(at);
        irq(guest);
      }
      guest.runTo(guest.handler(13));
      expect(guest.hypervisor.interruptFlag).toBe(false);
      const [error, eip, cs, flags] = guest.stack(4);
      return [error, eip, cs, flags & ~ARITHMETIC, guest.state.esp >>> 0, guest.state.get(L.EAX)];
    };
    const undisturbed = faulting(null);
    expect(undisturbed.slice(0, 2)).toEqual([0x80, new RomCaller().address('site33')]);
    for (let at = 0; at < 16; at++) expect(faulting(at)).toEqual(undisturbed);
  });
});
