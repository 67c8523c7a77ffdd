/** Counters, alarms with both wirings, the wallclock, and the local APIC, through the ROM. */
import { describe, expect, test } from 'vitest';
import { LINE_ALARM } from '../../src/machine/input.js';
import { RomCaller } from './support/rom-caller.js';

const GET_CYCLE_COUNTER = 67;
const SET_ALARM = 68;
const CANCEL_ALARM = 69;
const PERIODIC = 0x100;
const LVTT = 0x10000;
const TIMER_VECTOR = 0x41;
const APIC_LVT_TIMER = 0x320;
const APIC_SPURIOUS = 0xf0;
const APIC_EOI = 0xb0;
const APIC_ICR = 0x300;
const APIC_ISR = 0x100;

function setAlarm(guest: RomCaller, flags: number, expiry: number, period = 0): void {
  guest.call(SET_ALARM, { eax: flags, edx: expiry, ecx: 0 }, [period, 0]);
}

/** When an alarm's next edge after a time is due. */
function nextEdge(guest: RomCaller, counter: number, after: number): number {
  const timer = guest.machine.timers.find(({ line }) => line === LINE_ALARM + counter);
  return timer!.nextEdge(after);
}

function fire(guest: RomCaller, counter: number): void {
  guest.machine.inject({ kind: 'irq', line: LINE_ALARM + counter });
}

describe('counters', () => {
  test('go at 10^8 a second', () => {
    expect(new RomCaller().call(66)).toMatchObject({ eax: 100_000_000, edx: 0 });
  });

  test.each([
    [0, 0x1_0000_0007],
    [1, 0x1_0000_0007],
    [2, 0],
    [3, 0],
    [-1, 0],
  ])('number %i', (number, value) => {
    const guest = new RomCaller();
    guest.clocks.apic = 0x1_0000_0007;
    const { eax, edx } = guest.call(GET_CYCLE_COUNTER, { eax: number });
    expect(edx * 2 ** 32 + eax).toBe(value);
  });
});

describe('an alarm', () => {
  test.each([0, 1])('of counter %i comes as IRQ 0 when it expires, once', (counter) => {
    const guest = new RomCaller();
    guest.call(29);
    setAlarm(guest, counter, 9000);
    expect(nextEdge(guest, counter, 5000)).toBe(9000);
    fire(guest, counter);
    const ticks = guest.read(guest.address('ticks'));
    guest.step(30);
    expect(guest.read(guest.address('ticks'))).toBe(ticks + 1);
    expect(nextEdge(guest, counter, 9000)).toBe(Number.POSITIVE_INFINITY);
    expect(guest.call(CANCEL_ALARM, { eax: counter }).eax).toBe(0);
  });

  test('that is overdue when it is set comes at once', () => {
    const guest = new RomCaller();
    setAlarm(guest, 0, 10);
    expect(nextEdge(guest, 0, 5000)).toBe(5001);
  });

  test('with a period comes again and again, and makes up for none that it missed', () => {
    const guest = new RomCaller();
    setAlarm(guest, PERIODIC, 9000, 100);
    expect(nextEdge(guest, 0, 5000)).toBe(9000);
    fire(guest, 0);
    expect(nextEdge(guest, 0, 9000)).toBe(9100);
    expect(nextEdge(guest, 0, 9950)).toBe(10000);
    expect(guest.call(CANCEL_ALARM, { eax: 0 }).eax).toBe(1);
    expect(nextEdge(guest, 0, 9950)).toBe(Number.POSITIVE_INFINITY);
  });

  test('with a period of 0 comes once, whatever its flags say', () => {
    const guest = new RomCaller();
    setAlarm(guest, PERIODIC, 9000, 0);
    fire(guest, 0);
    expect(nextEdge(guest, 0, 9000)).toBe(Number.POSITIVE_INFINITY);
  });

  test('that is set anew forgets what it was', () => {
    const guest = new RomCaller();
    setAlarm(guest, PERIODIC, 9000, 100);
    setAlarm(guest, 0, 20000);
    expect(nextEdge(guest, 0, 9000)).toBe(20000);
  });

  test('takes 64 bits of expiry and of period', () => {
    const guest = new RomCaller();
    guest.call(SET_ALARM, { eax: PERIODIC, edx: 5, ecx: 1 }, [7, 1]);
    expect(nextEdge(guest, 0, 5000)).toBe(2 ** 32 + 5);
    expect(nextEdge(guest, 0, 2 ** 32 + 5)).toBe(2 ** 33 + 12);
  });

  test.each([2, 3, 0xff])('on counter %i is none', (counter) => {
    const guest = new RomCaller();
    setAlarm(guest, counter, 1);
    expect([0, 1].map((each) => nextEdge(guest, each, 0))).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    expect(guest.call(CANCEL_ALARM, { eax: counter }).eax).toBe(0);
  });

  test('that was cancelled while its edge was under way does nothing', () => {
    const guest = new RomCaller();
    guest.call(29);
    setAlarm(guest, 0, 9000);
    guest.call(CANCEL_ALARM, { eax: 0 });
    const ticks = guest.read(guest.address('ticks'));
    fire(guest, 0);
    guest.step(30);
    expect(guest.read(guest.address('ticks'))).toBe(ticks);
  });

  test('asks for the time when it is set and when it is cancelled, so that its source learns of it', () => {
    const guest = new RomCaller();
    let reads = 0;
    guest.machine.requestClock = (source) => {
      reads += 1;
      guest.machine.inject({ kind: 'clock', source, value: 77 });
    };
    setAlarm(guest, 0, 9000);
    guest.call(CANCEL_ALARM, { eax: 0 });
    expect(reads).toBe(2);
  });

  test('wired to the local APIC comes with the vector of its timer entry, unless that is masked', () => {
    const guest = new RomCaller({ apic: true });
    guest.call(63, { eax: APIC_SPURIOUS, edx: 0x1ff });
    guest.call(63, { eax: APIC_LVT_TIMER, edx: 0x10000 | TIMER_VECTOR });
    guest.call(29);
    setAlarm(guest, PERIODIC | LVTT, 9000, 100);
    fire(guest, 0);
    guest.step(4);
    expect(guest.eip).toBe(guest.address(`behind${SET_ALARM}`));
    guest.call(63, { eax: APIC_LVT_TIMER, edx: TIMER_VECTOR });
    fire(guest, 0);
    guest.runTo(guest.handler(TIMER_VECTOR));
    expect(guest.call(64, { eax: APIC_ISR + 0x20 }).eax).toBe(1 << (TIMER_VECTOR & 31));
    guest.call(63, { eax: APIC_EOI, edx: 0 });
    expect(guest.call(64, { eax: APIC_ISR + 0x20 }).eax).toBe(0);
  });

  test('wired to a local APIC that is not there is reported', () => {
    const guest = new RomCaller({ isFresh: true });
    setAlarm(guest, LVTT, 9000);
    expect(guest.reports.at(-1)).toMatch(
      /^VMI call 68 \(SetAlarm\) from 0xc01[0-9a-f]{5} was not served: .*APIC/,
    );
  });
});

describe('the wallclock', () => {
  test("is the RTC's second, and from then on as steady as the counter", () => {
    const guest = new RomCaller();
    guest.clocks.apic = 250_000_000;
    guest.clocks.rtc = 1_141_776_002;
    const first = wallclock(guest);
    expect(first).toBe(1_141_776_002_500_000_000n);
    guest.clocks.apic += 3;
    guest.clocks.rtc = 0;
    expect(wallclock(guest)).toBe(first + 30n);
  });

  test('is never updated by anyone', () => {
    expect(new RomCaller().call(71).eax).toBe(0);
  });
});

describe('APICRead and APICWrite', () => {
  test('take offsets, and addresses too', () => {
    const guest = new RomCaller({ apic: true });
    guest.call(63, { eax: 0xfee00000 + APIC_LVT_TIMER, edx: 0x10042 });
    expect(guest.call(64, { eax: APIC_LVT_TIMER }).eax).toBe(0x10042);
  });

  test('an interrupt that the guest sends to itself comes before the call returns', () => {
    const guest = new RomCaller({ apic: true });
    guest.call(63, { eax: APIC_SPURIOUS, edx: 0x1ff });
    guest.call(29);
    guest.goTo(63, { eax: APIC_ICR, edx: 0x40000 | TIMER_VECTOR });
    guest.runTo(guest.handler(TIMER_VECTOR));
  });

  test('are reported where there is no APIC: reads give 0, writes are lost', () => {
    const guest = new RomCaller({ isFresh: true });
    expect(guest.call(64, { eax: 0x30 }).eax).toBe(0);
    guest.call(63, { eax: 0x80, edx: 0 });
    expect(guest.reports).toHaveLength(3);
  });
});

function wallclock(guest: RomCaller): bigint {
  const { eax, edx } = guest.call(70);
  return (BigInt.asUintN(32, BigInt(edx)) << 32n) | BigInt.asUintN(32, BigInt(eax));
}
