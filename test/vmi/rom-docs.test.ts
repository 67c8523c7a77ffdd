/** What docs/vmi.md says of each call of the ROM: its numbers, and its steps from the site to behind it. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as L from '../../src/cpu/state-layout.js';
import { ROM_CALLS, type RomCall, traceNumber } from '../../src/vmi/rom/rom-calls.js';
import { harmless } from './support/harmless.js';
import { RomCaller, SCRATCH } from './support/rom-caller.js';

const text = readFileSync(new URL('../../docs/vmi.md', import.meta.url), 'utf8');
const table = text.slice(text.indexOf('| call | number | in a trace | steps |'));
const rows = table
  .slice(0, table.indexOf('\n\n'))
  .split('\n')
  .slice(2)
  .map((row) => row.split('|').map((cell) => cell.trim()))
  .map(([, names, numbers, inTrace, steps]) => ({ names, numbers, inTrace, steps }));

/** `1, 2` or `4 to 7`, of names too. */
function spell<T>(list: string, all: readonly T[], nameOf: (each: T) => string): T[] {
  const ends = list.split(' to ');
  const place = (name: string): number => all.findIndex((each) => nameOf(each) === name);
  if (ends.length === 2) return all.slice(place(ends[0]), place(ends[1]) + 1);
  return list.split(', ').map((name) => all[place(name)]);
}

const NUMBERS = Array.from({ length: 256 }, (_, number) => number);
const calls = (names: string): RomCall[] => spell(names, ROM_CALLS, ({ name }) => name);

test('has a row for every call', () => {
  const named = rows.flatMap(({ names }) => calls(names).map(({ number }) => number));
  expect(named.toSorted((a, b) => a - b)).toEqual(
    ROM_CALLS.map(({ number }) => number).filter((number) => number < 0x80),
  );
});

describe.each(rows)('$names', ({ names, numbers, inTrace, steps }) => {
  test('have these numbers', () => {
    const found = calls(names).map(({ number }) => number);
    expect(spell(numbers, NUMBERS, String)).toEqual(found);
  });

  test.skipIf(inTrace === '-')('have these numbers in a trace', () => {
    expect(spell(inTrace, NUMBERS, String)).toEqual(calls(names).map(traceNumber));
  });

  test.skipIf(!/^[34](, strings 2 \+ ECX)?$/.test(steps))('take so many steps', () => {
    for (const { number } of calls(names)) {
      const guest = new RomCaller();
      const isString = (number >= 52 && number <= 54) || (number >= 58 && number <= 60);
      guest.goTo(
        number,
        { ...harmless(guest, number), ...(isString ? { ecx: 5 } : {}) },
        [0, 0, 0],
      );
      for (const register of [L.ESI, L.EDI]) guest.state.set(register, SCRATCH | 0);
      const before = guest.machine.cpu.instant;
      guest.runTo(guest.address(`behind${number}`));
      const expected = isString ? 2 + 5 : Number.parseInt(steps);
      expect([number, guest.machine.cpu.instant - before]).toEqual([number, expected]);
    }
  });
});
