import { beforeEach, describe, expect, test } from 'vitest';
import { PortBus } from '../../src/machine/port-bus.js';
import { Uart16550 } from '../../src/machine/uart16550.js';

const DATA = 0x3f8;
const IER = 0x3f9;
const IIR = 0x3fa;
const FCR = 0x3fa;
const LCR = 0x3fb;
const MCR = 0x3fc;
const LSR = 0x3fd;
const MSR = 0x3fe;
const SCR = 0x3ff;
const OUT2 = 0x08;
const LOOP = 0x10;

let ports: PortBus;
let uart: Uart16550;
let sent: number[];
let line: boolean[];

beforeEach(() => {
  ports = new PortBus();
  uart = new Uart16550(ports);
  sent = [];
  line = [];
  uart.onOutput = (byte) => sent.push(byte);
  uart.onInterrupt = (level) => line.push(level);
});

const out = (port: number, value: number): void => ports.write(port, 1, value);
const read = (port: number): number => ports.read(port, 1);

function receive(...bytes: number[]): void {
  for (const byte of bytes) uart.receive(byte);
}

test('after reset: no interrupt, transmitter empty, the far end connected', () => {
  expect([read(IER), read(IIR), read(LCR), read(MCR)]).toEqual([0, 0x01, 0, 0]);
  expect(read(LSR)).toBe(0x60);
  expect(read(MSR)).toBe(0xb0);
});

test('what is written to THR is sent at once', () => {
  out(DATA, 0x48);
  out(DATA, 0x69);
  expect(sent).toEqual([0x48, 0x69]);
  expect(read(LSR)).toBe(0x60);
});

test('DLAB swaps in the divisor', () => {
  out(LCR, 0x83);
  out(DATA, 0x01);
  out(IER, 0x02);
  expect([read(DATA), read(IER)]).toEqual([0x01, 0x02]);
  out(LCR, 0x03);
  expect([read(DATA), read(IER)]).toEqual([0, 0]);
  expect(sent).toEqual([]);
});

test('the scratch register keeps what it is given', () => {
  out(SCR, 0xa5);
  expect(read(SCR)).toBe(0xa5);
});

describe('receiving', () => {
  test('without FIFO a second byte overruns the first', () => {
    receive(1, 2);
    expect(read(LSR)).toBe(0x63);
    expect(read(LSR), 'reading LSR clears the overrun').toBe(0x61);
    expect(read(DATA)).toBe(2);
    expect(read(LSR)).toBe(0x60);
  });

  test('with FIFO 16 bytes wait, and the next one is lost', () => {
    out(FCR, 0x01);
    receive(...Array.from({ length: 17 }, (_, index) => index));
    expect(read(LSR)).toBe(0x63);
    expect(Array.from({ length: 16 }, () => read(DATA))).toEqual(
      Array.from({ length: 16 }, (_, index) => index),
    );
    expect(read(LSR)).toBe(0x60);
  });

  test('FCR resets the FIFO, and switching it on or off empties it', () => {
    out(FCR, 0x01);
    receive(1, 2);
    out(FCR, 0x03);
    expect(read(LSR)).toBe(0x60);
    receive(1);
    out(FCR, 0x00);
    expect(read(LSR)).toBe(0x60);
  });

  test('below the trigger level the cause is the timeout, from there on data', () => {
    out(FCR, 0x41); // trigger at 4
    out(IER, 0x01);
    receive(1);
    expect(read(IIR)).toBe(0xcc);
    receive(2, 3, 4);
    expect(read(IIR)).toBe(0xc4);
    read(DATA);
    expect(read(IIR)).toBe(0xcc);
  });
});

describe('interrupts', () => {
  test('reach the PIC through OUT 2 only', () => {
    out(IER, 0x01);
    receive(1);
    expect(line).toEqual([]);
    out(MCR, OUT2);
    expect(line).toEqual([true]);
    out(MCR, 0);
    expect(line).toEqual([true, false]);
  });

  test('a received byte holds the line until it is read', () => {
    out(MCR, OUT2);
    out(IER, 0x01);
    receive(1);
    read(IIR);
    expect(line).toEqual([true]);
    read(DATA);
    expect(line).toEqual([true, false]);
  });

  test('THR empty comes when it is enabled, and goes when IIR tells it', () => {
    out(MCR, OUT2);
    out(IER, 0x02);
    expect(line).toEqual([true]);
    expect(read(IIR)).toBe(0x02);
    expect(line).toEqual([true, false]);
    expect(read(IIR)).toBe(0x01);
  });

  test('each byte sent makes a new edge', () => {
    out(MCR, OUT2);
    out(IER, 0x02);
    out(DATA, 1);
    out(DATA, 2);
    expect(line).toEqual([true, false, true, false, true]);
  });

  test('priority: line status, data, THR empty, modem status', () => {
    out(MCR, LOOP);
    read(MSR);
    out(MCR, LOOP | 0x02); // CTS changes
    out(IER, 0x0f);
    out(DATA, 1);
    out(DATA, 2); // overrun in loopback
    expect(read(IIR)).toBe(0x06);
    read(LSR);
    expect(read(IIR)).toBe(0x04);
    read(DATA);
    expect(read(IIR)).toBe(0x02);
    expect(read(IIR)).toBe(0x00);
    read(MSR);
    expect(read(IIR)).toBe(0x01);
  });
});

describe('loopback', () => {
  test('sends to itself and to nobody else, and hears nobody else', () => {
    out(MCR, LOOP);
    out(DATA, 0xae);
    receive(1);
    expect(sent).toEqual([]);
    expect(read(DATA)).toBe(0xae);
    expect(read(LSR)).toBe(0x60);
  });

  test('shows the modem outputs at the inputs, with their changes', () => {
    out(MCR, LOOP);
    read(MSR);
    out(MCR, LOOP | 0x0f);
    expect(read(MSR)).toBe(0xfb); // CTS, DSR, DCD changed; RI has no rising edge bit
    out(MCR, LOOP);
    expect(read(MSR)).toBe(0x0f);
    expect(read(MSR)).toBe(0x00);
  });

  test('lets no interrupt out, since OUT 2 is disconnected', () => {
    out(MCR, LOOP | OUT2);
    out(IER, 0x02);
    expect(line).toEqual([]);
  });
});
