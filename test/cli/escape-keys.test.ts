import { expect, test } from 'vitest';
import { EscapeKeys } from '../../src/cli/escape-keys.js';

const bytes = (text: string): number[] => [...Buffer.from(text, 'latin1')];

test('what follows Ctrl-A is the console’s, also when it comes later', () => {
  const keys = new EscapeKeys(() => true);
  expect(keys.take(bytes('a\x01'))).toEqual({ guest: bytes('a'), commands: [] });
  expect(keys.take(bytes('hb'))).toEqual({ guest: bytes('b'), commands: ['help'] });
  expect(keys.take(bytes('\x01x'))).toEqual({ guest: [], commands: ['leave'] });
});

test('Ctrl-A twice is one for the guest, and keys without a meaning are nobody’s', () => {
  const keys = new EscapeKeys(() => true);
  expect(keys.take(bytes('\x01\x01x\x01sy'))).toEqual({ guest: bytes('\x01xy'), commands: [] });
});

test('Ctrl-C is the guest’s while it listens, and ends the run while it does not', () => {
  let listens = true;
  const keys = new EscapeKeys(() => listens);
  expect(keys.take(bytes('\x03'))).toEqual({ guest: [3], commands: [] });
  listens = false;
  expect(keys.take(bytes('\x03'))).toEqual({ guest: [], commands: ['leave'] });
});
