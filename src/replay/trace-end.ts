/** The last chunk of a whole trace: how the run ended, its last digest, and what the trace holds. */
import {
  COUNTED_KINDS,
  DIGEST_BYTES_MOST,
  type EndEvent,
  type EventCounts,
  noEvents,
} from './event.js';
import type { Instant } from './instant.js';
import { packValue } from './msgpack.js';
import type { Outcome } from './outcome.js';
import { asBytes, asHex, BYTE, UINT53, ValueReader } from './value-reader.js';

/** Outcomes as traces number them. */
const OUTCOMES = ['exit', 'halted', 'shutdown', 'reset', 'limit', 'interrupted'] as const;

/** The payload of the end chunk: [outcome, status, value, digest, counts...]. */
export function encodeEnd(end: EndEvent, counts: EventCounts): Uint8Array {
  const { outcome, digest } = end;
  if (outcome.kind === 'incomplete') throw new Error('a trace that ends cannot be incomplete');
  const [status, value] = outcome.kind === 'exit' ? [outcome.status, outcome.value] : [0, 0];
  return packValue([
    OUTCOMES.indexOf(outcome.kind),
    status,
    value,
    asBytes(digest),
    ...COUNTED_KINDS.map((kind) => counts[kind]),
  ]);
}

/**
 * Reads the payload of the end chunk. Elements behind those that it knows are left alone.
 * @param at the instant that the chunk's frame names.
 * @throws Malformed
 */
export function decodeEnd(payload: Uint8Array, at: Instant): [EndEvent, EventCounts] {
  const reader = new ValueReader(payload);
  const index = reader.integer(UINT53, 'an outcome');
  if (index >= OUTCOMES.length) {
    throw reader.malformed('a known outcome', `outcome ${index}`, 'unsupported');
  }
  const status = reader.integer(BYTE, 'an exit status');
  const value = reader.integer(BYTE, 'an exit value');
  const digest = asHex(reader.bytes(DIGEST_BYTES_MOST, 'a digest'));
  const counts = noEvents();
  for (const kind of COUNTED_KINDS)
    counts[kind] = reader.integer(UINT53, `a count of ${kind} events`);
  return [{ kind: 'end', at, outcome: outcomeOf(OUTCOMES[index], status, value), digest }, counts];
}

function outcomeOf(kind: (typeof OUTCOMES)[number], status: number, value: number): Outcome {
  return kind === 'exit' ? { kind, status, value } : { kind };
}
