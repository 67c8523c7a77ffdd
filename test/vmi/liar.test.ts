/** A guest that lies gets faults, a shutdown or nonsense of its own; the host program goes on. */
import { expect, test } from 'vitest';
import { Random } from '../../src/replay/random.js';
import { runLiar } from './support/liar.js';

test('two hundred lying guests', () => {
  const random = new Random(20060313);
  for (let i = 0; i < 200; i++) expect(() => runLiar(random, 64)).not.toThrow();
}, 60_000);
