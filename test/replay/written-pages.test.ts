import { describe, expect, test } from 'vitest';
import { WrittenPages } from '../../src/replay/written-pages.js';
import { bareGuest } from './bare-guest.js';

function look(observer: WrittenPages): number[] {
  const pages: number[] = [];
  observer.look((page) => pages.push(page));
  return pages;
}

describe('WrittenPages', () => {
  test('shows what was ever written at the first look, and then what was since the last', () => {
    const { physical } = bareGuest(0x90).cpu.core;
    physical.write(0x9ffe, 2, 0xffff);
    physical.load(0x5ffe, Uint8Array.of(1, 2, 3));
    const observer = new WrittenPages(physical);
    const first = look(observer);
    expect(first).toEqual(expect.arrayContaining([5, 6, 9]));
    for (const page of first) physical.ram.fill(0, page * 4096, (page + 1) * 4096);
    expect(physical.ram.every((byte) => byte === 0)).toBe(true);
    expect(look(observer)).toEqual([]);
    physical.write(0x7000, 1, 1);
    physical.write(0x3000, 1, 1);
    expect(look(observer)).toEqual([3, 7]);
    expect(look(observer)).toEqual([]);
  });

  test('one observer sees all that was written since its own last look, whoever looked meanwhile', () => {
    const { physical } = bareGuest(0x90).cpu.core;
    const [often, seldom] = [new WrittenPages(physical), new WrittenPages(physical)];
    look(seldom);
    for (const page of [5, 9, 5]) {
      physical.write(page * 4096, 4, page);
      look(often);
    }
    expect(look(seldom)).toEqual([5, 9]);
    expect(look(often)).toEqual([]);
  });
});
