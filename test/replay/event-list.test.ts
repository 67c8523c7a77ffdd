import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EndEvent, TraceEvent } from '../../src/replay/event.js';
import { ChunkedEvents, firstEventAt } from '../../src/replay/event-list.js';

const END: EndEvent = { kind: 'end', at: 9999, outcome: { kind: 'interrupted' }, digest: '' };

/** Chunks of so many events each, and the same events in one array. */
function build(counts: readonly number[], hasEnd: boolean) {
  let at = 0;
  const chunks = counts.map((count) =>
    Array.from({ length: count }, (_, place): TraceEvent => {
      at += place % 3;
      return { kind: 'nmi', at };
    }),
  );
  const all: TraceEvent[] = [...chunks.flat(), ...(hasEnd ? [END] : [])];
  const decoded: number[] = [];
  const decode = (chunk: number): readonly TraceEvent[] => {
    decoded.push(chunk);
    return chunks[chunk];
  };
  return { all, decoded, list: new ChunkedEvents(counts, decode, hasEnd ? END : null) };
}

const someCounts = fc.array(fc.nat(5), { maxLength: 60 });

describe('the events of a trace', () => {
  test('are those that an array would have, in whatever order they are asked for', () => {
    fc.assert(
      fc.property(someCounts, fc.boolean(), fc.array(fc.nat(400)), (counts, hasEnd, places) => {
        const { all, list } = build(counts, hasEnd);
        expect(list.length).toBe(all.length);
        for (const place of places) {
          expect(list.at(place)).toBe(all.at(place));
          expect(list.slice(place, place + 7)).toEqual(all.slice(place, place + 7));
          expect(firstEventAt(list, place)).toBe(firstEventAt(all, place));
        }
      }),
    );
  });

  test('are decoded when they are asked for, and a chunk no second time as long as one is near it', () => {
    const { decoded, list } = build([4, 4, 4], false);
    expect(decoded).toEqual([]);
    for (const place of [5, 6, 3, 4, 7]) list.at(place);
    expect(decoded).toEqual([1, 0]);
  });

  test('are let go of when others were asked for since', () => {
    const { decoded, list } = build(Array<number>(200).fill(2), false);
    for (let place = 0; place < list.length; place++) list.at(place);
    decoded.length = 0;
    list.at(0);
    expect(decoded).toEqual([0]);
  });
});
