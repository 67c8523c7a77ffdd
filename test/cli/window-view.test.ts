import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderWindow, type WindowRow } from '../../src/cli/window-view.js';
import { SHADOW_NONE, SHADOW_STI } from '../../src/cpu/state-layout.js';

const rows: WindowRow[] = [
  step({ instant: 1412893, eip: 0x100132, symbol: 'sysexit_path+2', text: 'sti' }),
  step({
    instant: 1412894,
    eip: 0x100133,
    symbol: 'sysexit_path+3',
    text: 'nop',
    isInterruptible: true,
    shadow: SHADOW_STI,
    note: 'IRQ 0 rises',
  }),
  step({
    kind: 'delivery',
    instant: 1412895,
    eip: 0x100134,
    symbol: 'sysexit_path+4',
    text: 'IRQ 0 taken: vector 0x20',
    isInterruptible: true,
    note: 'between STI and SYSEXIT',
  }),
  step({ instant: 1412896, eip: 0x100200, symbol: 'timer_entry', text: 'push %eax' }),
  { kind: 'gap', steps: 14, text: 'the handler' },
  step({ instant: 1412911, cpl: 3, eip: 0x8048000, isInterruptible: true, text: 'jmp 0x8048000' }),
];

function step(changes: object): WindowRow {
  return {
    kind: 'instruction',
    instant: 0,
    cpl: 0,
    isInterruptible: false,
    shadow: SHADOW_NONE,
    eip: 0,
    symbol: null,
    text: 'nop',
    note: null,
    ...changes,
  };
}

describe('renderWindow', () => {
  test('matches the golden text (UPDATE_GOLDEN=1 rewrites it)', () => {
    const golden = new URL('window-view.golden.txt', import.meta.url);
    const text = renderWindow(rows, false);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  test('colours are nothing but colours', () => {
    const coloured = renderWindow(rows, true);
    expect(coloured).toContain('\x1b[');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal escapes are what is removed
    expect(coloured.replace(/\x1b\[\d+m/g, '')).toBe(renderWindow(rows, false));
  });
});
