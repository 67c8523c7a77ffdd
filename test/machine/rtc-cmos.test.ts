import { beforeEach, describe, expect, test } from 'vitest';
import { PIT_HZ } from '../../src/machine/pit8254.js';
import { PortBus } from '../../src/machine/port-bus.js';
import { RtcCmos } from '../../src/machine/rtc-cmos.js';

const MIB = 1 << 20;
/** 2004-02-29 23:59:58 UTC, a Sunday. */
const LEAP_DAY = Date.UTC(2004, 1, 29, 23, 59, 58) / 1000;
const SET = 0x80;
const PIE = 0x40;
const BINARY = 0x04;
const HOURS_24 = 0x02;

let rtc: RtcCmos;
let ports: PortBus;
let unix: number;
let ticks: number;
let line: boolean[];

beforeEach(() => {
  unix = LEAP_DAY;
  ticks = 0;
  line = [];
  ports = new PortBus();
  rtc = new RtcCmos(ports, 64 * MIB, (source) => (source === 'rtc' ? unix : ticks));
  rtc.onInterrupt = (level) => line.push(level);
});

function read(index: number): number {
  ports.write(0x70, 1, index);
  return ports.read(0x71, 1);
}

function write(index: number, value: number): void {
  ports.write(0x70, 1, index);
  ports.write(0x71, 1, value);
}

/** Century, year, month, day, hour, minute, second, weekday. */
const time = (): number[] => [0x32, 9, 8, 7, 4, 2, 0, 6].map(read);

describe('the time of day', () => {
  test('is BCD and 24 hours as firmware leaves it', () => {
    expect(time()).toEqual([0x20, 0x04, 0x02, 0x29, 0x23, 0x59, 0x58, 0x01]);
    unix += 2;
    expect(time()).toEqual([0x20, 0x04, 0x03, 0x01, 0x00, 0x00, 0x00, 0x02]);
  });

  test('comes in binary and with 12 hours where register B says so', () => {
    write(0x0b, BINARY);
    expect(time()).toEqual([20, 4, 2, 29, 11 | 0x80, 59, 58, 1]);
    unix += 2;
    expect(read(4)).toBe(12); // midnight is 12 AM
    unix += 12 * 3600;
    expect(read(4)).toBe(12 | 0x80);
    unix += 3600;
    expect(read(4)).toBe(1 | 0x80);
  });

  test('can be set: it stands while SET is 1 and runs on from there', () => {
    write(0x0b, SET | HOURS_24);
    for (const [index, value] of [
      [0x32, 0x19],
      [9, 0x99],
      [8, 0x12],
      [7, 0x31],
      [4, 0x23],
      [2, 0x59],
      [0, 0x59],
      [6, 0x06],
    ]) {
      write(index, value);
    }
    unix += 100;
    expect(read(0)).toBe(0x59);
    write(0x0b, HOURS_24);
    expect(time()).toEqual([0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59, 0x06]);
    unix += 1;
    expect(time()).toEqual([0x20, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x07]);
  });

  test('one field can be written while the clock runs', () => {
    write(2, 0x30);
    expect(time()).toEqual([0x20, 0x04, 0x02, 0x29, 0x23, 0x30, 0x58, 0x01]);
  });

  test('UIP is set for the last 2228 microseconds of a second', () => {
    const uip = (at: number): number => {
      ticks = at;
      return read(0x0a) & 0x80;
    };
    expect(uip(0)).toBe(0);
    expect(uip(PIT_HZ - 2659)).toBe(0);
    expect(uip(PIT_HZ - 2658)).toBe(0x80);
    expect(uip(2 * PIT_HZ - 1)).toBe(0x80);
    expect(uip(2 * PIT_HZ)).toBe(0);
    write(0x0b, SET);
    expect(uip(3 * PIT_HZ - 1)).toBe(0);
  });
});

describe('the CMOS RAM', () => {
  test('tells the sizes of memory', () => {
    const word = (index: number): number => read(index) | (read(index + 1) << 8);
    expect(word(0x15)).toBe(640);
    expect(word(0x17)).toBe(63 * 1024);
    expect(word(0x30)).toBe(63 * 1024);
    expect(word(0x34)).toBe((48 * MIB) / 65536);
  });

  test('has the checksum that firmware would make', () => {
    let sum = 0;
    for (let index = 0x10; index < 0x2e; index++) sum += read(index);
    expect((read(0x2e) << 8) | read(0x2f)).toBe(sum);
  });

  test('keeps what is written', () => {
    write(0x0f, 0x0a);
    write(0x7f, 0x55);
    expect([read(0x0f), read(0x7f)]).toEqual([0x0a, 0x55]);
  });

  test('register D says that the battery is good, whatever is written', () => {
    write(0x0d, 0);
    expect(read(0x0d)).toBe(0x80);
  });
});

test('bit 7 of the index port masks NMI', () => {
  expect(rtc.isNmiMasked).toBe(false);
  ports.write(0x70, 1, 0x80);
  expect(rtc.isNmiMasked).toBe(true);
  ports.write(0x70, 1, 0x0d);
  expect(rtc.isNmiMasked).toBe(false);
});

describe('periodic interrupts', () => {
  test('fall due at multiples of the period, in ticks of the PIT, while PIE is 1', () => {
    expect(rtc.nextEdge(0)).toBe(Infinity);
    write(0x0b, PIE | HOURS_24);
    let at = 0;
    for (let count = 1; count <= 1024; count++) {
      at = rtc.nextEdge(at);
      expect(at).toBe(Math.ceil((count * PIT_HZ) / 1024));
    }
    expect(at).toBe(PIT_HZ);
  });

  test.each([
    [1, 256],
    [2, 128],
    [3, 8192],
    [6, 1024],
    [15, 2],
  ])('rate %i is %i Hz', (rate, hertz) => {
    write(0x0a, 0x20 | rate);
    write(0x0b, PIE);
    expect(rtc.nextEdge(0)).toBe(Math.ceil(PIT_HZ / hertz));
    expect(rtc.nextEdge(PIT_HZ - 1)).toBe(PIT_HZ);
  });

  test('rate 0 and a stopped divider have none', () => {
    write(0x0b, PIE);
    write(0x0a, 0x20);
    expect(rtc.nextEdge(0)).toBe(Infinity);
    write(0x0a, 0x76);
    expect(rtc.nextEdge(0)).toBe(Infinity);
  });

  test('hold IRQ 8 until register C is read', () => {
    write(0x0b, PIE | HOURS_24);
    line = [];
    rtc.edge();
    expect(line.at(-1)).toBe(true);
    expect(read(0x0c)).toBe(0xc0);
    expect(line.at(-1)).toBe(false);
    expect(read(0x0c)).toBe(0);
  });

  test('set PF alone while PIE is 0', () => {
    rtc.edge();
    expect(line).not.toContain(true);
    expect(read(0x0c)).toBe(0x40);
  });
});
