import { beforeEach, describe, expect, test } from 'vitest';
import { FwCfg } from '../../src/machine/fw-cfg.js';
import { PortBus } from '../../src/machine/port-bus.js';

let ports: PortBus;
let device: FwCfg;

beforeEach(() => {
  ports = new PortBus();
  device = new FwCfg(ports, 48 << 20);
});

function item(key: number, bytes: number): number[] {
  ports.write(0x510, 2, key);
  return Array.from({ length: bytes }, () => ports.read(0x511, 1));
}

describe('fw_cfg', () => {
  test('is known by its signature, which is selected at first', () => {
    const first = Array.from({ length: 4 }, () => ports.read(0x511, 1));
    expect(String.fromCharCode(...first)).toBe('QEMU');
    expect(String.fromCharCode(...item(0, 4))).toBe('QEMU');
  });

  test.each<[string, number, number[]]>([
    ['the traditional interface alone', 0x01, [1, 0, 0, 0]],
    ['RAM in bytes', 0x03, [0, 0, 0, 3, 0, 0, 0, 0]],
    ['one processor', 0x05, [1, 0]],
    ['one at the most', 0x0f, [1, 0]],
    ['no files', 0x19, [0, 0, 0, 0]],
    ['nothing of what it does not know', 0x8000, [0, 0, 0, 0]],
  ])('tells of %s', (_, key, bytes) => {
    expect(item(key, bytes.length)).toEqual(bytes);
  });

  test('gives zeros behind the end of an item, and starts again when it is selected', () => {
    expect(item(0, 6)).toEqual([0x51, 0x45, 0x4d, 0x55, 0, 0]);
    expect(item(0x4000, 1)).toEqual([0x51]);
  });

  test('is not written', () => {
    ports.write(0x510, 2, 0);
    ports.write(0x511, 1, 0x41);
    ports.write(0x510, 1, 5);
    expect(ports.read(0x511, 1)).toBe(0x51);
  });

  test('goes on where it was when its state is restored', () => {
    item(0, 2);
    const state = device.save();
    device.reset();
    device.restore(state);
    expect(ports.read(0x511, 1)).toBe(0x4d);
  });
});
