/** A guest that lies gets faults, a shutdown or nonsense of its own; the host program goes on. */
import { expect, test } from 'vitest';
import { Random } from '../../src/replay/random.js';
import { Liars } from './support/liar.js';

test('a thousand lying guests', () => {
  const liars = new Liars(new Random(20060313));
  for (let at = 0; at < 1000; at++) liars.run(`case ${at}`, 64);
  expect(Object.keys(liars.endings)).toEqual(expect.arrayContaining(['until', 'shutdown']));
}, 60_000);
