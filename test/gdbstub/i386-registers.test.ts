import { describe, expect, test } from 'vitest';
import { I386_LAYOUT, i386Register } from '../../src/gdbstub/i386-registers.js';
import { describeTarget, registerBytes } from '../../src/gdbstub/register-layout.js';

const names = I386_LAYOUT.registers.map((register) => register.name);
const xml = describeTarget(I386_LAYOUT);

describe('I386_LAYOUT', () => {
  test('begins with the core registers in the order of gdb/features/i386/32bit-core.xml', () => {
    expect(names.slice(0, 32).join(' ')).toBe(
      'eax ecx edx ebx esp ebp esi edi eip eflags cs ss ds es fs gs ' +
        'st0 st1 st2 st3 st4 st5 st6 st7 fctrl fstat ftag fiseg fioff foseg fooff fop',
    );
  });

  test('an x87 register takes ten bytes and the instant eight', () => {
    expect(registerBytes(I386_LAYOUT.registers[i386Register('st0')])).toBe(10);
    expect(registerBytes(I386_LAYOUT.registers[i386Register('instant')])).toBe(8);
  });

  test('EIP, ESP and EBP go along with each stop', () => {
    expect(I386_LAYOUT.expedited.map((index) => names[index])).toEqual(['esp', 'ebp', 'eip']);
  });

  test('no two registers share a name', () => {
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('describeTarget', () => {
  test('names no architecture, so that gdb can switch to i8086', () => {
    expect(xml).not.toContain('<architecture');
  });

  test('numbers the registers as the g packet has them', () => {
    const described = [...xml.matchAll(/<reg name="(\w+)".*? regnum="(\d+)"/g)];
    expect(described.map(([, name, number]) => [name, Number(number)])).toEqual(
      names.map((name, number) => [name, number]),
    );
  });

  test('defines each type that is not one of gdb’s own', () => {
    const own = new Set(['int', 'int32', 'uint32', 'uint64', 'data_ptr', 'code_ptr', 'i387_ext']);
    for (const [, type] of xml.matchAll(/<reg .*? type="(\w+)"/g)) {
      if (!own.has(type)) expect(xml).toMatch(new RegExp(`<(flags|enum) id="${type}"`));
    }
  });
});
