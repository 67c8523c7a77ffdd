import { describe, expect, test } from 'vitest';
import { eventRows, rowsAround } from '../../src/cli/event-rows.js';
import { renderEvent } from '../../src/cli/event-view.js';
import type { TraceEvent } from '../../src/replay/event.js';

const raise = (at: number, line = 0, isInput = true): TraceEvent => ({
  kind: 'irq',
  at,
  line,
  isInput,
});
const accept = (at: number, line = 0): TraceEvent => ({
  kind: 'accept',
  at,
  vector: 0x20 + line,
  line,
  cpl: 3,
  eip: 0x8048000,
  shadow: 0,
});
const clock = (at: number): TraceEvent => ({ kind: 'clock', at, source: 'tsc', value: 77 });

function rows(...events: TraceEvent[]): unknown[] {
  return [...eventRows(events, null)];
}

describe('eventRows', () => {
  test('joins the rise of a line and its acceptance in one row', () => {
    expect(rows(raise(10), accept(15))).toEqual([
      {
        instant: 10,
        kind: 'irq',
        line: 0,
        source: 'timer',
        raisedAt: 10,
        acceptedAt: 15,
        vector: 0x20,
        cpl: 3,
        eip: 0x8048000,
        symbol: null,
        shadow: 'none',
      },
    ]);
  });

  test('keeps the order of instants while a line waits', () => {
    const kinds = rows(raise(10), clock(12), accept(15), clock(16)) as { instant: number }[];
    expect(kinds.map((row) => row.instant)).toEqual([10, 12, 16]);
  });

  test('an interrupt that is never taken still has its row, at the end too', () => {
    expect(rows(raise(10, 4, false), clock(12))).toMatchObject([
      { kind: 'irq', line: 4, source: 'device', acceptedAt: null, vector: null, eip: null },
      { kind: 'clock' },
    ]);
  });

  test('an acceptance of one line leaves another waiting', () => {
    expect(rows(raise(10, 0), raise(11, 4), accept(12, 4), accept(13, 0))).toMatchObject([
      { line: 0, acceptedAt: 13 },
      { line: 4, acceptedAt: 12 },
    ]);
  });

  test('two rises before one acceptance share it', () => {
    expect(rows(raise(10), raise(11), accept(12))).toMatchObject([
      { raisedAt: 10, acceptedAt: 12 },
      { raisedAt: 11, acceptedAt: 12 },
    ]);
  });

  test('an acceptance that no line explains is spurious', () => {
    expect(rows(accept(12, 7))).toMatchObject([{ instant: 12, line: 7, raisedAt: null }]);
  });

  test('names the place where the image has a symbol', () => {
    const symbols = { lookup: () => ({ name: 'user_loop', offset: 4 }) };
    expect([...eventRows([raise(10), accept(15)], symbols)]).toMatchObject([
      { symbol: 'user_loop+0x4' },
    ]);
  });

  test('an address above 2 GiB is unsigned', () => {
    const high: TraceEvent = {
      kind: 'accept',
      at: 1,
      vector: 32,
      line: 0,
      cpl: 0,
      eip: -16,
      shadow: 1,
    };
    expect(rows(raise(0), high)).toMatchObject([{ eip: 0xfffffff0, shadow: 'sti' }]);
  });
});

describe('rowsAround', () => {
  const many = [1, 2, 3, 5, 6, 7].map((at) => clock(at));

  function around(instant: number, count: number): number[] {
    return [...rowsAround(eventRows(many, null), instant, count)].map((row) => row.instant);
  }

  test('shows as many events before an instant as from it on', () => {
    expect(around(5, 2)).toEqual([2, 3, 5, 6]);
    expect(around(4, 1)).toEqual([3, 5]);
  });

  test('stops at either end', () => {
    expect(around(0, 2)).toEqual([1, 2]);
    expect(around(100, 2)).toEqual([6, 7]);
  });
});

describe('renderEvent', () => {
  test('an interrupt is a sentence', () => {
    const [row] = eventRows([raise(10), accept(15)], null);
    expect(renderEvent(row)).toBe(
      '         @10  irq        line 0, taken @15 as vector 0x20 at CPL 3, EIP 08048000, shadow none',
    );
  });

  test('any other event lists its fields', () => {
    const [row] = eventRows([clock(12)], null);
    expect(renderEvent(row)).toBe('         @12  clock      source tsc, value 77');
  });
});
