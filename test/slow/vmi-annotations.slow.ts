/** A hundred thousand annotation tables. */
import { test } from 'vitest';
import { fuzzAnnotations } from '../vmi/support/annotation-table.js';

test('any bytes give sites inside the image, each in its own place, or one line that says why not', {
  timeout: 1_800_000,
}, () => {
  fuzzAnnotations(100_000, 1);
});
