import { describe, expect, test } from 'vitest';
import type { BodyEvent } from '../../src/replay/event.js';
import { summarise } from '../../src/replay/summary.js';
import { chunkOffsets, END, open, START_BARE, sampleTrace, traceOf } from './trace-samples.js';

describe('the summary of a trace', () => {
  test('counts interrupts that were accepted, not lines that rose', () => {
    const rose: BodyEvent = { kind: 'irq', at: 1, line: 0, isInput: true };
    const taken: BodyEvent = {
      kind: 'accept',
      at: 2,
      vector: 32,
      line: 0,
      cpl: 0,
      eip: 0,
      shadow: 0,
    };
    expect(summarise(open(traceOf([rose, rose, taken]))).events.irq).toBe(1);
  });

  test('of a whole trace has its outcome and its last digest', () => {
    const bytes = sampleTrace();
    expect(summarise(open(bytes))).toEqual({
      formatVersion: 1,
      holdoffVersion: START_BARE.holdoffVersion,
      from: 0,
      instants: END.at,
      checkpoints: 0,
      events: { irq: 4, exception: 2, nmi: 1, shim: 2, clock: 4, serial: 2 },
      bytes: bytes.length,
      wholeBytes: bytes.length,
      digest: 'fe'.repeat(32),
      outcome: { kind: 'exit', status: 99, value: 49 },
      damage: null,
    });
  });

  test('of a killed trace has what its whole chunks hold', () => {
    const bytes = sampleTrace();
    const offsets = chunkOffsets(bytes);
    const summary = summarise(open(bytes.subarray(0, offsets[4] + 50)));
    expect(summary).toMatchObject({
      instants: 100_000,
      bytes: offsets[4] + 50,
      wholeBytes: offsets[4],
      events: { irq: 1, clock: 1 },
      digest: '00'.repeat(32),
      outcome: { kind: 'incomplete' },
      damage: { kind: 'cut', chunk: 4 },
    });
  });

  test('of a trace without digests has none', () => {
    expect(summarise(open(traceOf([]))).digest).toBeNull();
  });
});
