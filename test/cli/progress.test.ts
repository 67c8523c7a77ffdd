import { expect, test } from 'vitest';
import { Progress, roundCount } from '../../src/cli/progress.js';

function terminal(isTTY: boolean): { isTTY: boolean; written: string[]; write(t: string): void } {
  const written: string[] = [];
  return { isTTY, written, write: (text) => void written.push(text) };
}

test('progress is drawn at most ten times a second, over itself', () => {
  const stream = terminal(true);
  const progress = new Progress(stream);
  for (let now = 0; now <= 250; now += 10) progress.show(now, () => `at ${now}`);
  expect(stream.written).toEqual(['\r\x1b[2Kat 0', '\r\x1b[2Kat 100', '\r\x1b[2Kat 200']);
});

test('clearing takes the line away once, and draws nothing where there is none', () => {
  const stream = terminal(true);
  const progress = new Progress(stream);
  progress.clear();
  progress.show(0, () => 'x');
  progress.clear();
  progress.clear();
  expect(stream.written).toEqual(['\r\x1b[2Kx', '\r\x1b[2K']);
});

test('nothing is drawn where stderr is no terminal', () => {
  const stream = terminal(false);
  const progress = new Progress(stream);
  progress.show(0, () => 'x');
  progress.clear();
  expect(stream.written).toEqual([]);
});

test.each([
  [9999, '9999'],
  [12_345, '12.3 k'],
  [12_345_678, '12.3 M'],
  [1_500_000_000, '1.50 G'],
])('%i is %s at a glance', (count, text) => {
  expect(roundCount(count)).toBe(text);
});
