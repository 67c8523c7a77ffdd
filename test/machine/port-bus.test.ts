import { expect, test } from 'vitest';
import { PortBus } from '../../src/machine/port-bus.js';

test('unclaimed ports read all ones at every width, and each byte is counted', () => {
  const ports = new PortBus();
  expect(ports.read(0x300, 1)).toBe(0xff);
  expect(ports.read(0x300, 2)).toBe(0xffff);
  expect(ports.read(0x300, 4)).toBe(-1);
  ports.write(0x302, 1, 5);
  expect([...ports.unclaimed]).toEqual([
    [0x300, 3],
    [0x301, 2],
    [0x302, 2],
    [0x303, 1],
  ]);
});

test('a wide access to byte-wide chips becomes byte cycles, lowest port first', () => {
  const ports = new PortBus();
  const seen: string[] = [];
  ports.claim(0x10, 0x12, {
    read: (port, size) => {
      seen.push(`in ${port} ${size}`);
      return port;
    },
    write: (port, size, value) => seen.push(`out ${port} ${size} ${value}`),
  });
  expect(ports.read(0x10, 4)).toBe(0xff121110 | 0);
  ports.write(0x11, 2, 0xabcd);
  expect(seen).toEqual(['in 16 1', 'in 17 1', 'in 18 1', 'out 17 1 205', 'out 18 1 171']);
});

test('a handler that takes wider accesses gets them whole', () => {
  const ports = new PortBus();
  const seen: number[][] = [];
  ports.claim(0xf4, 0xf4, {
    widest: 4,
    read: () => -2,
    write: (...access) => seen.push(access),
  });
  expect(ports.read(0xf4, 4)).toBe(-2);
  expect(ports.read(0xf4, 1)).toBe(0xfe);
  ports.write(0xf4, 4, -1);
  ports.write(0xf4, 2, 0x12345);
  expect(seen).toEqual([
    [0xf4, 4, -1],
    [0xf4, 2, 0x2345],
  ]);
});

test('an access at the last port wraps to port 0', () => {
  const ports = new PortBus();
  ports.claim(0, 0, { read: () => 0x12, write: () => undefined });
  expect(ports.read(0xffff, 2)).toBe(0x12ff);
});

test('two owners of one port are a mistake in the machine', () => {
  const ports = new PortBus();
  const handler = { read: () => 0, write: () => undefined };
  ports.claim(5, 7, handler);
  expect(() => ports.claim(7, 8, { ...handler })).toThrow('port 7h is claimed twice');
});
