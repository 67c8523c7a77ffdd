import { beforeEach, describe, expect, test } from 'vitest';
import { I8042 } from '../../src/machine/i8042.js';
import { PortBus } from '../../src/machine/port-bus.js';

let ports: PortBus;
let controller: I8042;
let resets: number;
let line: boolean[];
let mouseLine: boolean[];

beforeEach(() => {
  ports = new PortBus();
  controller = new I8042(ports);
  resets = 0;
  line = [];
  mouseLine = [];
  controller.onReset = () => {
    resets += 1;
  };
  controller.onInterrupt = (level) => line.push(level);
  controller.onMouseInterrupt = (level) => mouseLine.push(level);
});

const command = (value: number): void => ports.write(0x64, 1, value);
const data = (value: number): void => ports.write(0x60, 1, value);
const status = (): number => ports.read(0x64, 1);

/** Everything that waits to be read. */
function answers(): number[] {
  const bytes: number[] = [];
  while (status() & 1) bytes.push(ports.read(0x60, 1));
  return bytes;
}

describe('the controller', () => {
  test('passes its self-test and that of the keyboard, and has no mouse', () => {
    for (const test of [0xaa, 0xab, 0xa9]) command(test);
    expect(answers()).toEqual([0x55, 0x00, 0x01]);
  });

  test('keeps the command byte', () => {
    command(0x20);
    expect(answers()).toEqual([0x65]);
    command(0x60);
    data(0x47);
    command(0x20);
    expect(answers()).toEqual([0x47]);
  });

  test('switches keyboard and mouse off and on in it', () => {
    command(0xad);
    command(0xa8);
    command(0x20);
    expect(answers()).toEqual([0x55]);
    command(0xae);
    command(0xa7);
    command(0x20);
    expect(answers()).toEqual([0x65]);
  });

  test('status tells command from data, and whether there is something to read', () => {
    command(0xaa);
    expect(status()).toBe(0x1d);
    answers();
    data(0xee);
    expect(status()).toBe(0x15);
    answers();
    expect(status()).toBe(0x14);
  });

  test('reports A20 as it was set, through the output port and through port 92h', () => {
    expect(ports.read(0x92, 1)).toBe(0x02);
    command(0xd1);
    data(0xdd);
    expect(ports.read(0x92, 1)).toBe(0);
    ports.write(0x92, 1, 0x02);
    command(0xd0);
    expect(answers()).toEqual([0xc3]);
    expect(resets).toBe(0);
  });

  test.each([
    ['the pulse FEh', [[0x64, 0xfe]]],
    ['the pulse F0h', [[0x64, 0xf0]]],
    [
      'bit 0 of the output port',
      [
        [0x64, 0xd1],
        [0x60, 0xdc],
      ],
    ],
    ['port 92h', [[0x92, 0x03]]],
  ])('resets the processor by %s', (_, writes) => {
    for (const [port, value] of writes) ports.write(port, 1, value);
    expect(resets).toBe(1);
  });

  test('other pulses reset nothing', () => {
    command(0xff);
    command(0xfd);
    expect(resets).toBe(0);
  });
});

describe("the mouse's port", () => {
  test('gives back what a kernel sends around the loop, and says whose byte it is', () => {
    command(0xd3);
    data(0x5a);
    expect(status() & 0x21).toBe(0x21);
    expect(ports.read(0x60, 1)).toBe(0x5a);
    expect(status() & 0x21).toBe(0);
    command(0xd2);
    data(0x5a);
    expect(status() & 0x21).toBe(0x01);
  });

  test('makes edges of IRQ 12 where that is enabled, and none of IRQ 1', () => {
    command(0xd3);
    data(0xa5);
    expect([line, mouseLine]).toEqual([[], []]);
    answers();
    command(0x60);
    data(0x47);
    command(0xd3);
    data(0xa5);
    expect([line, mouseLine]).toEqual([[], [true]]);
    data(0xee);
    ports.read(0x60, 1);
    expect([line, mouseLine]).toEqual([[true], [true, false]]);
  });

  test('has nobody at its other end', () => {
    command(0xd4);
    data(0xf2);
    expect(answers()).toEqual([]);
  });

  test('is saved with what waits there', () => {
    command(0xd3);
    data(0x5a);
    const restored = new I8042(new PortBus());
    restored.restore(controller.save());
    expect(restored.save()).toEqual(controller.save());
  });
});

describe('the keyboard', () => {
  test.each([
    ['reset', [0xff], [0xfa, 0xaa]],
    ['echo', [0xee], [0xee]],
    ['identify', [0xf2], [0xfa, 0xab, 0x41]],
    ['lamps', [0xed, 0x07], [0xfa, 0xfa]],
    ['typing rate', [0xf3, 0x20], [0xfa, 0xfa]],
    ['which scan code set, translated as the scan codes are', [0xf0, 0x00], [0xfa, 0xfa, 0x41]],
    ['enable', [0xf4], [0xfa]],
    ['nonsense', [0x12], [0xfe]],
  ])('answers %s', (_, sent, expected) => {
    sent.forEach(data);
    expect(answers()).toEqual(expected);
  });

  test('answers untranslated where translation is off', () => {
    command(0x60);
    data(0x25);
    for (const byte of [0xf0, 0x00, 0xf2]) data(byte);
    expect(answers()).toEqual([0xfa, 0xfa, 0x02, 0xfa, 0xab, 0x83]);
  });

  test('makes an edge of IRQ 1 for each byte, while that is enabled', () => {
    data(0xff);
    expect(line).toEqual([true]);
    ports.read(0x60, 1);
    expect(line).toEqual([true, false, true]);
    ports.read(0x60, 1);
    expect(line).toEqual([true, false, true, false]);
    command(0x60);
    data(0x64);
    line = [];
    data(0xff);
    expect(line).toEqual([]);
  });
});
