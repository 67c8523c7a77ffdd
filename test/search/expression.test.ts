import { describe, expect, test } from 'vitest';
import { SymbolTable } from '../../src/machine/symbols.js';
import { compileComparison, compileExpression, symbolNames } from '../../src/search/expression.js';
import { TextMistake } from '../../src/search/mistake.js';
import { bareGuest, ORIGIN } from '../replay/bare-guest.js';

const symbols = new SymbolTable([{ name: () => 'counter', address: 0x2000, end: 0x2004, rank: 1 }]);
const names = symbolNames(symbols);

/** The value of an expression in a guest that has 0x11223344 at 0x2000, EAX = 0x12345678 and CF set. */
function value(text: string): number {
  const machine = bareGuest(0xf4);
  machine.cpu.core.physical.load(0x2000, Uint8Array.of(0x44, 0x33, 0x22, 0x11));
  machine.cpu.core.state.setReg32(0, 0x12345678);
  return compileExpression(text, names)(machine);
}

/** What is wrong with an expression, with the picture of it. */
function mistake(text: string): string {
  try {
    compileExpression(text, names);
  } catch (error) {
    if (error instanceof TextMistake) return `${error.message}\n${error.picture}`;
  }
  throw new Error(`${text} was taken`);
}

describe('the value of an expression', () => {
  test.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['10 - 3 - 2', 5],
    ['1 << 4 | 1', 17],
    ['0xff & 0xf0 == 0xf0', 1],
    ['-1 > 1', 1],
    ['-1', 0xffffffff],
    ['~0 >> 31', 1],
    ['!5 || !0', 1],
    ['7 / 0', 0],
    ['1_000', 1000],
    ['eax', 0x12345678],
    ['AX', 0x5678],
    ['ah', 0x56],
    ['eip', ORIGIN],
    ['cpl', 0],
    ['if', 0],
    ['counter', 0x2000],
    ['u8[counter]', 0x44],
    ['u16[counter + 2]', 0x1122],
    ['u32[counter]', 0x11223344],
    ['u8[u32[counter] & 0 | counter + 1]', 0x33],
    ['u32[0xf0000000]', 0xffffffff],
  ])('%s', (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  test('a comparison may leave out its subject', () => {
    const isBad = (text: string): number => compileComparison(text, { status: () => 99 })();
    expect(['==99', '!= 99', '>98 && status < 100', 'status == 99'].map(isBad)).toEqual([
      1, 0, 1, 1,
    ]);
  });

  test.each([
    ['eax == 1', 'only status or value can be named here'],
    ['u32[0] == 1', 'only status or value can be named here'],
    ['toString', 'only status or value can be named here'],
    ['== ', 'expected a number, or status or value'],
  ])('a comparison looks at no machine: %s', (text, expected) => {
    const values = { status: () => 99, value: () => 49 };
    expect(() => compileComparison(text, values)).toThrow(expected);
  });
});

describe('a typo', () => {
  test.each([
    ['u32[counter == 0', 'expected "]"\n  u32[counter == 0\n                  ^'],
    ['u32 counter', 'expected "[" after u32\n  u32 counter\n      ^'],
    [
      '1 +',
      'expected a number, a register, a symbol, u8[...], u16[...] or u32[...]\n  1 +\n     ^',
    ],
    ['(1', 'expected ")"\n  (1\n    ^'],
    ['1 2', 'expected an operator or the end\n  1 2\n    ^'],
    ['counte', 'no register or symbol is named counte\n  counte\n  ^'],
    ['1 + eaz', 'no register or symbol is named eaz; did you mean eax?\n  1 + eaz\n      ^'],
    ['0x1ffffffff', 'not a number of 32 bits\n  0x1ffffffff\n  ^'],
    ['toString', 'no register or symbol is named toString\n  toString\n  ^'],
    ['1 ? 2', 'unexpected "?"\n  1 ? 2\n    ^'],
    ['', 'expected a number, a register, a symbol, u8[...], u16[...] or u32[...]\n  \n  ^'],
  ])('%j is shown with a caret under it', (text, expected) => {
    expect(mistake(text)).toBe(expected);
  });

  test('nesting has an end', () => {
    expect(mistake('('.repeat(5000))).toContain('nested too deeply');
    expect(mistake('!'.repeat(5000))).toContain('nested too deeply');
  });
});
