import { beforeEach, expect, test } from 'vitest';
import { Pit8254 } from '../../src/machine/pit8254.js';
import { PortBus } from '../../src/machine/port-bus.js';
import { Port61 } from '../../src/machine/port61.js';

let ports: PortBus;
let pit: Pit8254;
let now: number;
let reads: number;
let line: boolean[];

beforeEach(() => {
  now = 0;
  reads = 0;
  line = [];
  ports = new PortBus();
  const readClock = (): number => {
    reads += 1;
    return now;
  };
  pit = new Pit8254(ports, readClock);
  new Port61(ports, pit, readClock);
  pit.onOutput0 = (level) => line.push(level);
});

function program(control: number, port: number, count: number): void {
  ports.write(0x43, 1, control);
  ports.write(port, 1, count & 0xff);
  ports.write(port, 1, count >> 8);
}

test('firmware leaves counter 0 at 18.2 Hz', () => {
  expect(pit.nextEdge(0)).toBe(65536);
  expect(pit.nextEdge(65536)).toBe(131072);
});

test('the time is asked for when a count is complete, and that is where the count starts', () => {
  ports.write(0x43, 1, 0x34);
  now = 777;
  reads = 0;
  ports.write(0x40, 1, 1193 & 0xff);
  expect(reads).toBe(0);
  ports.write(0x40, 1, 1193 >> 8);
  expect(reads).toBe(1);
  expect(pit.nextEdge(now)).toBe(778 + 1193);
});

test('a control word for counter 0 drives OUT low in mode 0 and high in the others', () => {
  ports.write(0x43, 1, 0x30);
  ports.write(0x43, 1, 0x34);
  expect(line).toEqual([false, true]);
});

test('a count in mode 0 drives OUT low with its first byte', () => {
  program(0x30, 0x40, 100);
  expect(line).toEqual([false, false, false]);
  expect(pit.nextEdge(0)).toBe(101);
});

test('an injected edge is a fall and a rise of OUT 0', () => {
  pit.edge();
  expect(line).toEqual([false, true]);
});

test('nextEdge changes nothing', () => {
  program(0x34, 0x40, 100);
  now = 50;
  ports.write(0x40, 1, 30);
  ports.write(0x40, 1, 0);
  const before = pit.save();
  pit.nextEdge(1_000_000);
  expect(pit.save()).toEqual(before);
});

test('the counter latch freezes what the two reads return', () => {
  program(0x34, 0x40, 1000);
  now = 11;
  ports.write(0x43, 1, 0x00);
  now = 400;
  expect(ports.read(0x40, 1) | (ports.read(0x40, 1) << 8)).toBe(990);
});

test('read-back latches the selected counters, count and status', () => {
  program(0x34, 0x40, 1000);
  program(0xb6, 0x42, 500);
  now = 1;
  ports.write(0x43, 1, 0xc2 | 0x08); // both, counters 0 and 2
  expect(ports.read(0x40, 1)).toBe(0xb4);
  expect(ports.read(0x40, 1) | (ports.read(0x40, 1) << 8)).toBe(1000);
  expect(ports.read(0x42, 1)).toBe(0xb6);
  now = 101;
  ports.write(0x43, 1, 0xe2); // status of counter 0 alone
  expect(ports.read(0x40, 1)).toBe(0xb4);
  expect(ports.read(0x40, 1) | (ports.read(0x40, 1) << 8)).toBe(900);
});

test('the control port reads all ones', () => {
  expect(ports.read(0x43, 1)).toBe(0xff);
});

test('port 61h gates counter 2 and shows its OUT: the usual delay loop ends', () => {
  ports.write(0x61, 1, 0x00);
  program(0xb0, 0x42, 1000);
  expect(ports.read(0x61, 1) & 0x20).toBe(0);
  now = 5000;
  expect(ports.read(0x61, 1) & 0x20, 'not while the gate is low').toBe(0);
  ports.write(0x61, 1, 0x01);
  now = 5999;
  expect(ports.read(0x61, 1) & 0x21).toBe(0x01);
  now = 6000;
  expect(ports.read(0x61, 1) & 0x21).toBe(0x21);
});

test('port 61h toggles the refresh bit every 18 ticks', () => {
  const bits = [0, 17, 18, 35, 36].map((tick) => {
    now = tick;
    return (ports.read(0x61, 1) >> 4) & 1;
  });
  expect(bits).toEqual([0, 0, 1, 1, 0]);
});
