import { expect, test } from 'vitest';
import { Doorbell } from '../../src/cli/doorbell.js';
import { SliceLength } from '../../src/cli/slice-length.js';

test('slices come to take about 20 ms, whatever a step costs', () => {
  for (const stepsPerMillisecond of [50, 5000, 200_000]) {
    const slice = new SliceLength();
    for (let round = 0; round < 30; round++) slice.took(slice.steps / stepsPerMillisecond);
    const milliseconds = slice.steps / stepsPerMillisecond;
    expect(milliseconds).toBeGreaterThan(10);
    expect(milliseconds).toBeLessThan(40);
  }
});

test('a slice that took no time at all makes the next one twice as long at most', () => {
  const slice = new SliceLength();
  const { steps } = slice;
  slice.took(0);
  expect(slice.steps).toBe(2 * steps);
});

test('a ring before the wait ends the wait at once, and only that one', async () => {
  const bell = new Doorbell();
  bell.ring();
  await bell.wait(Number.POSITIVE_INFINITY);
  let isOver = false;
  const second = bell.wait(Number.POSITIVE_INFINITY).then(() => {
    isOver = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  bell.ring();
  await second;
});
