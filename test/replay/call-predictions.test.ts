/** VMI calls in a trace: a kernel's way from call to call is learnt, and costs next to nothing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BodyEvent, ShimEvent } from '../../src/replay/event.js';
import { decodeEvents, EventEncoder } from '../../src/replay/event-codec.js';
import { packValue } from '../../src/replay/msgpack.js';
import { ValueWriter } from '../../src/replay/value-writer.js';

function payloadOf(events: readonly BodyEvent[]): Uint8Array {
  const encoder = new EventEncoder(0);
  const values = new ValueWriter();
  for (const event of events) encoder.encode(event, values);
  return values.payload();
}

/** Calls from a few sites, some with arguments, at a few distances, so that many are foretold. */
const calls = fc
  .array(
    fc.record({
      distance: fc.constantFrom(0, 3, 3, 40, 1000),
      place: fc.integer({ min: 0, max: 3 }),
      args: fc.constantFrom([], [0x200], [1, -1]),
      result: fc.constantFrom(null, 0x200),
      isBroken: fc.boolean(),
    }),
    { maxLength: 200 },
  )
  .map((rows) => {
    let at = 0;
    return rows.flatMap(({ distance, place, args, result, isBroken }): BodyEvent[] => {
      at += distance;
      const call: ShimEvent = { kind: 'shim', at, call: 35 + place, site: place * 9, args, result };
      return isBroken ? [{ kind: 'serial', at, byte: 65 }, call] : [call];
    });
  });

describe('calls that are foretold', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(calls, (events) => {
        expect(decodeEvents(payloadOf(events), 0, 1_000_000)).toEqual(events);
      }),
      { numRuns: 300 },
    );
  });

  test('take a byte each once the way is known', () => {
    const way = Array.from({ length: 400 }, (_, i): ShimEvent => {
      const place = i % 4;
      const at = Math.floor(i / 4) * 100 + place * 7;
      return { kind: 'shim', at, call: 35 + place, site: -1000 * place, args: [], result: null };
    });
    expect(payloadOf(way).length).toBeLessThan(400 + 60);
  });

  test('and no call before them are refused', () => {
    for (const flags of [4, 5, 6]) {
      const payload = packValue([14 * 8 + flags, ...(flags === 4 ? [5] : [])]);
      expect(() => decodeEvents(payload, 0, 100)).toThrow();
    }
  });
});
