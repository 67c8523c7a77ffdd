/** A hundred thousand guests that lie to the hypervisor. */
import { expect, test } from 'vitest';
import { Random } from '../../src/replay/random.js';
import { runLiar } from '../vmi/support/liar.js';

test('a hundred thousand lying guests', () => {
  const random = new Random(1);
  for (let i = 0; i < 100_000; i++) expect(() => runLiar(random, 64)).not.toThrow();
}, 7_200_000);
