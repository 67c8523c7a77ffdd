import { expect, test } from 'vitest';
import { PortBus } from '../../src/machine/port-bus.js';
import { ResetControl } from '../../src/machine/reset-control.js';

function control(): { readonly ports: PortBus; resets: number } {
  const ports = new PortBus();
  const counted = { ports, resets: 0 };
  new ResetControl(ports).onReset = () => {
    counted.resets += 1;
  };
  return counted;
}

test('bit 2 of port CF9h resets the processor, the bits beside it alone do not', () => {
  const counted = control();
  counted.ports.write(0xcf9, 1, 0x02);
  expect(counted.resets).toBe(0);
  counted.ports.write(0xcf9, 1, 0x06);
  expect(counted.resets).toBe(1);
});

test('a PCI configuration address whose second byte has that bit is no reset, and finds no PCI', () => {
  const counted = control();
  counted.ports.write(0xcf8, 4, 0x80000400 | 0);
  expect(counted.resets).toBe(0);
  expect(counted.ports.read(0xcf8, 4)).toBe(-1);
  expect(counted.ports.read(0xcf8, 2)).toBe(0xffff);
  expect(counted.ports.read(0xcf8, 1)).toBe(0xff);
});
