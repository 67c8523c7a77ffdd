/** The run that a search departs from is the recorded one, or there is no search. */
import { expect, test } from 'vitest';
import { BaseRun } from '../../src/search/base-run.js';
import { RecordedPast } from '../../src/search/schedule.js';
import { lostWakeup } from './lost-wakeup.js';

test('a past that began in another state is refused before anything is tried', () => {
  const digest = '0123456789abcdef0123456789abcdef';
  const past = new RecordedPast([{ kind: 'digest', at: 0, digest }], 100);
  expect(() => new BaseRun(lostWakeup().machine, past)).toThrow(
    /diverged at @0 .*record it again$/,
  );
});
