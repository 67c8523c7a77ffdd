/** What gdb reads of the processor. */
import { expect, test } from 'vitest';
import { readRegister } from '../../src/gdbstub/guest-registers.js';
import { i386Register } from '../../src/gdbstub/i386-registers.js';
import { loadImage } from '../../src/machine/loaders/image.js';
import { Machine } from '../../src/machine/machine.js';

/** FNINIT; FLD1; FLDPI; FSTP ST(2); FLDZ; HLT. Pi is left in ST(2) of before, which is ST(1) after the pop. */
const CODE = [0xdb, 0xe3, 0xd9, 0xe8, 0xd9, 0xeb, 0xdd, 0xda, 0xd9, 0xee, 0xf4];

function afterX87Code(): Machine {
  const machine = new Machine({ memoryBytes: 2 << 20 });
  loadImage(machine, { name: 'x87.bin', bytes: Uint8Array.from(CODE) }, { address: 0x100000 });
  expect(machine.run(100)).toBe('halted');
  return machine;
}

function hex(machine: Machine, name: string): string {
  return Buffer.from(readRegister(machine, i386Register(name)))
    .reverse()
    .toString('hex');
}

test('st0 to st7 are the x87’s stack from its top, 80 bits each', () => {
  const machine = afterX87Code();
  // FLD1 made 1.0 the top, and FLDPI went above it and came down to below it.
  expect(['st0', 'st1', 'st2'].map((name) => hex(machine, name))).toEqual([
    '00000000000000000000',
    '3fff8000000000000000',
    '4000c90fdaa22168c235',
  ]);
});

test('the x87’s words are those that FNSTENV stores', () => {
  const machine = afterX87Code();
  expect(hex(machine, 'fctrl')).toBe('0000037f');
  // TOP is 6: two pushes and one that was popped again.
  expect(hex(machine, 'fstat')).toBe('00003000');
  // R6 holds zero (1), R7 1.0 and R0 pi (0); the rest is empty (3).
  expect(hex(machine, 'ftag')).toBe('00001ffc');
  expect(hex(machine, 'fioff')).toBe('00100008');
  expect(hex(machine, 'fop')).toBe('000001ee');
});
