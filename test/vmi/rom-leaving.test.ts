/** Calls of the ROM that go elsewhere (IRET, SYSEXIT, Halt, Reboot, Shutdown), ports, and who may enter it. */
import { describe, expect, test } from 'vitest';
import * as L from '../../src/cpu/state-layout.js';
import { KERNEL_CS, RomCaller, SCRATCH, STACK, USER_CS, USER_DS } from './support/rom-caller.js';

const IRET = 33;
const SYSEXIT = 34;
const HALT = 35;
const IF = 0x200;
const GP = 13;
const IRQ0_TICKS = 'ticks';
const USER_STACK = 0xc0182000;

/** At the IRET of site 33, with this frame. */
function beforeIret(frame: readonly number[], guest = new RomCaller()): RomCaller {
  guest.goTo(IRET, {}, frame);
  return guest;
}

function userFrame(guest: RomCaller, cs = USER_CS): number[] {
  return [guest.address('user_loop'), cs, IF | 2, USER_STACK, USER_DS];
}

function tick(guest: RomCaller): void {
  guest.machine.inject({ kind: 'irq', line: 5 });
}

/** IRQ 5, unmasked. */
function opened(guest: RomCaller): RomCaller {
  guest.machine.ports.write(0x21, 1, 0);
  return guest;
}

describe('IRET', () => {
  test('goes to user mode, with all registers as they were', () => {
    const guest = new RomCaller();
    beforeIret(userFrame(guest), guest);
    guest.runTo(guest.address('user_loop'));
    expect(guest.state.cpl).toBe(3);
    expect(guest.state.esp >>> 0).toBe(USER_STACK);
    expect([L.EAX, L.EDX, L.ECX].map((register) => guest.state.get(register))).toEqual([
      0x11111111, 0x22222222, 0x33333333,
    ]);
    expect(guest.hypervisor.interruptFlag).toBe(true);
  });

  test.each([0x60, 0x61])(
    'goes to the kernel by a frame whose CS is %i, with virtual IF as the frame says',
    (cs) => {
      const guest = new RomCaller();
      guest.call(29);
      beforeIret([guest.address('behind0'), cs, 2], guest);
      guest.runTo(guest.address('behind0'));
      expect(guest.state.selector(L.SEG_CS)).toBe(KERNEL_CS);
      expect(guest.hypervisor.interruptFlag).toBe(false);
    },
  );

  test('faults at its site with ESP at the frame', () => {
    const guest = new RomCaller();
    const frame = userFrame(guest, 0xe3);
    beforeIret(frame, guest);
    guest.runTo(guest.handler(GP));
    expect(guest.stack(3)).toEqual([0xe0, guest.address('site33'), KERNEL_CS]);
    expect(guest.state.esp >>> 0).toBe(STACK - 4 * frame.length - 16);
    expect(guest.hypervisor.interruptFlag).toBe(false);
    expect(guest.state.get(L.EAX)).toBe(0x11111111);
  });

  test.each(['rollforward', 'rollback', 'fold'] as const)(
    'with %s takes an interrupt that comes within it as from user mode',
    (scheme) => {
      const steps = (() => {
        const guest = new RomCaller({ scheme });
        beforeIret(userFrame(guest), guest);
        let count = 0;
        for (; guest.eip !== guest.address('user_loop'); count++) guest.step();
        return count;
      })();
      expect(steps).toBeGreaterThan(5);
      for (let at = 0; at <= steps; at++) {
        const guest = opened(new RomCaller({ scheme }));
        beforeIret(userFrame(guest), guest);
        guest.step(at);
        tick(guest);
        guest.runTo(guest.handler(0x25));
        expect(guest.stack(5)).toEqual([
          guest.address('user_loop'),
          USER_CS,
          IF | 2,
          USER_STACK,
          USER_DS,
        ]);
        expect(guest.state.get(L.EAX)).toBe(0x11111111);
      }
    },
  );

  test('with naive nests one on the stack that it is about to leave', () => {
    const guest = opened(new RomCaller({ scheme: 'naive' }));
    beforeIret(userFrame(guest), guest);
    for (let at = 0; !guest.hypervisor.interruptFlag && at < 20; at++) guest.step();
    tick(guest);
    guest.runTo(guest.handler(0x25));
    expect(guest.stack(2)[1]).toBe(KERNEL_CS);
  });
});

describe('SYSEXIT', () => {
  test('goes to EDX in user mode, with the stack at ECX, and virtual IF set', () => {
    const guest = new RomCaller();
    guest.goTo(SYSEXIT, { edx: guest.address('user_loop'), ecx: USER_STACK });
    guest.runTo(guest.address('user_loop'));
    expect(guest.state.cpl).toBe(3);
    expect(guest.state.selector(L.SEG_CS)).toBe(USER_CS);
    expect(guest.state.selector(L.SEG_SS)).toBe(USER_DS);
    expect(guest.state.esp >>> 0).toBe(USER_STACK);
    expect(guest.hypervisor.interruptFlag).toBe(true);
    expect(guest.shims).toMatchObject([{ call: 40, site: guest.address('site34') | 0 }]);
  });

  test.each([0, 1, 2, 3])(
    'takes an interrupt that comes after %i steps on the first user instruction',
    (at) => {
      const guest = opened(new RomCaller());
      guest.goTo(SYSEXIT, { edx: guest.address('user_loop'), ecx: USER_STACK });
      guest.step(at);
      tick(guest);
      guest.runTo(guest.handler(0x25));
      expect(guest.stack(2)).toEqual([guest.address('user_loop'), USER_CS]);
    },
  );

  test('is #GP at its site where there is no SYSENTER_CS', () => {
    const guest = new RomCaller();
    guest.call(1, { ecx: 0x174, eax: 0, edx: 0 });
    guest.goTo(SYSEXIT, { edx: guest.address('user_loop'), ecx: USER_STACK });
    guest.runTo(guest.handler(GP));
    expect(guest.stack(2)).toEqual([0, guest.address('site34')]);
  });
});

describe('EnableInterrupts and SetInterruptMask', () => {
  test.each([29, 32])('call %i delivers what waits before it returns', (number) => {
    const guest = opened(new RomCaller());
    tick(guest);
    guest.goTo(number, { eax: IF });
    guest.step(3);
    guest.runTo(guest.handler(0x25));
    expect(guest.stack(1)[0]).not.toBe(guest.address(`behind${number}`));
    expect(guest.stack(3)[2] & IF).toBe(IF);
  });
});

test('a stack in the words that the ROM shares is no way to bring the hypervisor down', () => {
  const guest = new RomCaller();
  guest.goTo(30);
  guest.state.esp = 0xc00c9010 | 0;
  guest.step(3);
  expect(guest.eip).toBe(guest.address('behind30'));
});

describe('Halt', () => {
  test('sets virtual IF and sleeps until an interrupt, which then has returned when it does', () => {
    const guest = new RomCaller();
    guest.goTo(HALT);
    expect(guest.machine.run(guest.machine.cpu.instant + 100)).toBe('halted');
    expect(guest.hypervisor.interruptFlag).toBe(true);
    const ticks = guest.read(guest.address(IRQ0_TICKS));
    guest.machine.pic.pulse(0);
    expect(guest.finish(HALT)).toMatchObject({ fault: null, isPreserved: true, eax: 0x11111111 });
    expect(guest.read(guest.address(IRQ0_TICKS))).toBe(ticks + 1);
    expect(guest.hypervisor.interruptFlag).toBe(true);
  });

  test('does not sleep where an interrupt waits already', () => {
    const guest = new RomCaller();
    guest.machine.pic.pulse(0);
    guest.step(2);
    expect(guest.call(HALT).fault).toBeNull();
  });
});

describe('Reboot and Shutdown', () => {
  test.each([0, 1])('Reboot with EAX %i resets the machine', (eax) => {
    const guest = new RomCaller();
    guest.goTo(36, { eax });
    expect(guest.machine.run(guest.machine.cpu.instant + 100)).toBe('reset');
  });

  test('Shutdown stops the processor for good, NMI or not', () => {
    const guest = new RomCaller();
    guest.goTo(37);
    expect(guest.machine.run(guest.machine.cpu.instant + 100)).toBe('halted');
    expect(guest.machine.isWakeable).toBe(false);
    const stopped = guest.eip;
    guest.machine.inject({ kind: 'nmi' });
    guest.runTo(guest.handler(2));
    expect(guest.stack(1)).toEqual([stopped]);
  });
});

describe('port calls', () => {
  test.each([
    ['IN', 49, 0xffffffff | 0],
    ['INB', 50, 0x111111fe],
    ['INW', 51, 0x1111fffe],
  ] as const)('%s reads a port into its part of EAX', (_name, number, eax) => {
    const guest = new RomCaller();
    expect(guest.call(number, { edx: number === 49 ? 0x1234 : 0x21 }).eax).toBe(eax);
  });

  test.each([55, 56, 57])('call %i writes a port', (number) => {
    const guest = new RomCaller();
    const written: number[] = [];
    guest.machine.onUnknownWrite = (port, size) => written.push(port, size);
    guest.call(number, { eax: 0x12345678, edx: 0x1230 });
    guest.machine.onUnknownWrite = null;
    expect(written).toEqual([0x1230, [4, 1, 2][number - 55]]);
  });

  test.each([
    [52, 4],
    [53, 1],
    [54, 2],
  ])('call %i moves ECX elements of %i bytes to EDI, and is one event', (number, size) => {
    const guest = new RomCaller();
    guest.goTo(number, { edx: 0x1234, ecx: 3 });
    guest.state.set(L.EDI, SCRATCH | 0);
    guest.finish(number);
    expect(guest.state.get(L.EDI) >>> 0).toBe(SCRATCH + 3 * size);
    expect(guest.state.get(L.ECX)).toBe(0);
    expect(guest.shims).toHaveLength(1);
  });

  test.each([58, 59, 60])('call %i moves ECX elements from ESI to a port', (number) => {
    const guest = new RomCaller();
    const written: number[] = [];
    guest.machine.onUnknownWrite = (port) => written.push(port);
    guest.goTo(number, { edx: 0x1234, ecx: 2 });
    guest.state.set(L.ESI, SCRATCH | 0);
    guest.finish(number);
    guest.machine.onUnknownWrite = null;
    expect(written).toEqual([0x1234, 0x1234]);
  });
});

describe('Init', () => {
  test('fails the second time, with nothing changed', () => {
    const guest = new RomCaller();
    guest.state.eip = 0xc00c8080 | 0;
    guest.state.esp = (STACK - 4) | 0;
    guest.write(STACK - 4, guest.address('behind0'));
    guest.runTo(guest.address('behind0'));
    expect(guest.state.get(L.EAX)).not.toBe(0);
    expect(guest.state.cpl).toBe(1);
  });
});

test('SetInitialAPState is reported: there is no other processor', () => {
  const guest = new RomCaller({ isFresh: true });
  guest.call(62, { eax: SCRATCH, edx: 1 });
  expect(guest.reports.at(-1)).toContain('call 62 (SetInitialAPState)');
});

test('every call is an event with its site, by its number in API 13', () => {
  const guest = new RomCaller();
  guest.call(14, { eax: 0x68, edx: 0x1000 });
  guest.call(19);
  expect(guest.shims).toEqual([
    { call: 19, site: guest.address('site14') | 0, args: [0x68, 0x1000], result: null },
    { call: 24, site: guest.address('site19') | 0, args: [], result: guest.state.get(L.CR0) },
  ]);
});

test('a call through a register or a pointer has its site too', () => {
  const guest = new RomCaller();
  const stub = guest.read(guest.address('ops') + 14 * 4);
  // CALL EBX; CALL [SCRATCH].
  guest.write(SCRATCH, stub);
  guest.write(SCRATCH + 0x10, 0x15ffd3ff, SCRATCH | 0, 0xfeeb);
  guest.goTo(14, { eax: 0x68, edx: 0x1000 });
  guest.state.set(L.EBX, stub);
  guest.state.eip = (SCRATCH + 0x10) | 0;
  guest.runTo(SCRATCH + 0x18);
  expect(guest.shims.map(({ site }) => site >>> 0)).toEqual([SCRATCH + 0x10, SCRATCH + 0x12]);
});
