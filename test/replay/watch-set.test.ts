import { describe, expect, test } from 'vitest';
import { type Watchpoint, WatchSet } from '../../src/replay/watch-set.js';

function hits(
  watchpoint: Watchpoint,
  linear: number,
  size: number,
  kind: 'read' | 'write',
): boolean {
  const set = new WatchSet([watchpoint], () => undefined);
  set.hit(linear, size, kind);
  return set.firstHit !== null;
}

describe('WatchSet', () => {
  const word = { address: 0x1000, length: 4, access: 'access' } as const;

  test('an access that overlaps the range by one byte hits', () => {
    expect(hits(word, 0xffd, 4, 'read')).toBe(true);
    expect(hits(word, 0x1003, 4, 'read')).toBe(true);
    expect(hits({ ...word, length: 1 }, 0xffe, 4, 'write')).toBe(true);
  });

  test('an access next to the range does not', () => {
    expect(hits(word, 0xffc, 4, 'read')).toBe(false);
    expect(hits(word, 0x1004, 1, 'read')).toBe(false);
  });

  test('addresses above 2 GiB compare as unsigned', () => {
    const kernel = { address: 0xc0001000, length: 4, access: 'write' } as const;
    expect(hits(kernel, 0xc0001002 | 0, 1, 'write')).toBe(true);
    expect(hits(kernel, 0x40001002, 1, 'write')).toBe(false);
  });

  test('an access that wraps around the end of the address space hits at both ends', () => {
    expect(hits({ address: 0, length: 1, access: 'write' }, 0xfffffffe | 0, 4, 'write')).toBe(true);
    expect(hits({ address: 0xffffffff, length: 1, access: 'write' }, -2, 4, 'write')).toBe(true);
  });

  test('each kind of watchpoint stops at its own accesses', () => {
    const kinds = (['read', 'write'] as const).flatMap((kind) =>
      (['read', 'write', 'access'] as const).map((access) =>
        hits({ ...word, access }, 0x1000, 4, kind),
      ),
    );
    expect(kinds).toEqual([true, false, true, false, true, true]);
  });

  test('the first hit is kept until it is cleared', () => {
    let stops = 0;
    const other = { address: 0x2000, length: 4, access: 'write' } as const;
    const set = new WatchSet([word, other], () => {
      stops += 1;
    });
    set.hit(0x2000, 4, 'write');
    set.hit(0x1000, 4, 'write');
    expect([set.firstHit, stops]).toEqual([other, 1]);
    set.clear();
    expect(set.firstHit).toBe(null);
  });

  test('every page that the range touches is watched', () => {
    const set = new WatchSet(
      [{ address: 0x1ffe, length: 0x1004, access: 'write' }],
      () => undefined,
    );
    expect([...set.pages]).toEqual([1, 2, 3]);
  });
});
