import { describe, expect, test } from 'vitest';
import { disassemble, type Symbols, symbolText } from '../../src/cli/disassembly.js';

const symbols: Symbols = {
  lookup: (address) =>
    address >= 0x100000 && address < 0x103000
      ? { name: address < 0x102000 ? 'entry' : 'need_resched', offset: address & 0xfff }
      : null,
};

function text(hex: string, bits: 16 | 32 = 32): string {
  return disassemble(Buffer.from(hex, 'hex'), 0x100000, bits, symbols).text;
}

describe('disassemble', () => {
  test.each([
    ['fb', 'sti'],
    ['0f35', 'sysexit'],
    ['cf', 'iret'],
    ['cd80', 'int $0x80'],
    ['8b442408', 'mov 0x8(%esp),%eax'],
    ['f3a5', 'rep movsl (%esi),(%edi)'],
    ['750a', 'jne 0x10000c <entry+0xc>'],
    ['f6050020100008', 'testb $0x8,0x102000 <need_resched>'],
    ['8b0485002010 00'.replace(' ', ''), 'mov 0x102000(,%eax,4),%eax'],
  ])('%s is %s', (hex, expected) => {
    expect(text(hex)).toBe(expected);
  });

  test('16-bit code has 16-bit operands', () => {
    expect(text('8b07', 16)).toBe('mov (%bx),%ax');
  });

  test('takes the length from the first instruction alone', () => {
    const bytes = Buffer.from('9090fb', 'hex');
    expect(disassemble(bytes, 0, 32, null)).toEqual({ text: 'nop', length: 1 });
  });

  test('bytes that start no instruction, or end within one, are bad', () => {
    expect(text('0fff')).toBe('(bad)');
    expect(text('8b44')).toBe('(bad)');
  });
});

test('a symbol is named with its offset, an address without one is not', () => {
  expect(symbolText(symbols, 0x100000)).toBe('entry');
  expect(symbolText(symbols, 0x100010)).toBe('entry+0x10');
  expect(symbolText(symbols, 0x200000)).toBeNull();
  expect(symbolText(null, 0x100000)).toBeNull();
});
