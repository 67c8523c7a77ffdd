import { expect, test } from 'vitest';
import type { Measured } from '../../bench/measure.js';
import { between, geometricMean, median, ratio, table } from '../../bench/report.js';

function run(...stamps: [line: string, wall: number, cpu: number][]): Measured {
  return {
    stamps: stamps.map(([line, wall, cpu]) => ({ line, wall, cpu })),
    wall: 0,
    cpu: 0,
    memory: Number.NaN,
    status: 0,
    result: {},
  };
}
const kernel = (milliseconds: number): Measured =>
  run(['BEGIN sort', 100, 10], ['END sort 0001a1ca', 100 + milliseconds, 10 + milliseconds / 2]);
const sort = between('BEGIN sort', 'END sort ', 'wall');

test('a time is what passed between two lines of the guest', () => {
  expect(sort(kernel(30))).toBe(30);
  expect(between('BEGIN sort', 'END sort ', 'cpu')(kernel(30))).toBe(15);
  expect(sort(run(['BEGIN sort', 1, 1]))).toBeNaN();
});

test('the native program says its times itself, in microseconds', () => {
  expect(sort(run(['sort us 0000031250 0001a1ca', 0, 0]))).toBe(31.25);
});

test('a median leaves out what was not measured', () => {
  expect(median([3, Number.NaN, 1, 2])).toBe(2);
  expect(median([4, 1])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test('a ratio compares runs of one round, so that a slow round changes nothing', () => {
  const ours = [kernel(10), kernel(100), kernel(10)];
  const theirs = [kernel(20), kernel(200), kernel(20)];
  expect(ratio(sort, ours, theirs)).toBe(0.5);
});

test('ratios have a geometric mean', () => {
  expect(geometricMean([0.5, 2, Number.NaN])).toBeCloseTo(1);
});

test('a table has its columns aligned', () => {
  expect(
    table([
      ['a', 'run'],
      ['sieve', '1'],
    ]),
  ).toBe('| a     | run |\n| ----- | --: |\n| sieve |   1 |');
});
