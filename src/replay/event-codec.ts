/**
 * Events as the payload of a chunk: one flat MessagePack array. An event is a tag (kind * 8 + flags, one
 * byte) and the values that its kind and flags ask for. Where `Predictions` foresees a value, a flag takes
 * its place; the rest are differences, which are small. Each chunk predicts from scratch, so that
 * it can be read alone. An event of a kind that came later is an array, so that it can be skipped.
 *
 * Writing and reading stand side by side, kind by kind: change both. docs/trace-format.md, "Events".
 */

import { LINES } from '../machine/input.js';
import type { ForetoldCall } from './call-predictions.js';
import { type BodyEvent, type ClockEvent, DIGEST_BYTES_MOST, SHIM_ARGS_MOST } from './event.js';
import { CLOCK_SOURCES, isTick, Predictions } from './event-predictions.js';
import type { Instant } from './instant.js';
import { integerBytes } from './msgpack.js';
import {
  asBytes,
  asHex,
  BYTE,
  INT32,
  isWithin,
  type Range,
  UINT32,
  UINT53,
  ValueReader,
  WORD,
} from './value-reader.js';
import type { ValueWriter } from './value-writer.js';

/** Kinds as traces number them. Odd ones are checks: a reader that doesn't know one skips it. */
const ACCEPT = 1;
/** An `irq` that is an input on line 0: the timer. */
const TICK = 2;
const DIGEST = 3;
const IRQ = 4;
const NMI = 6;
const EXCEPTION = 8;
const CLOCK = 10;
const SERIAL = 12;
const SHIM = 14;

const FLAG_BITS = 3;
/** Of every kind: the event has the instant of the one before it, and no value for it. */
const SAME_INSTANT = 1;
/** Of TICK: the instant is relative to where the last two ticks foretell this one. */
const PERIODIC = 2;
/** Of IRQ: not an input. */
const BY_DEVICE = 2;
/** Of ACCEPT: CPL 3, and otherwise 0. */
const FROM_USER = 2;
/** Of ACCEPT: vector, line, CPL and shadow are given. */
const EXPLICIT = 4;
/** Of EXCEPTION and SHIM: there is an error code, a result. */
const HAS_MORE = 2;
/** Of SHIM: it is the call that the two before it foretell; with PUNCTUAL, at the instant too. */
const FORETOLD = 4;
const PUNCTUAL = 2;
/** Of CLOCK: the source is in the upper two flags. */
const SOURCE_SHIFT = 1;

/** The flags that each kind has so far. Any other was given a meaning by a newer holdoff. */
const FLAGS: Readonly<Record<number, number>> = {
  [ACCEPT]: SAME_INSTANT | FROM_USER | EXPLICIT,
  [TICK]: SAME_INSTANT | PERIODIC,
  [DIGEST]: SAME_INSTANT,
  [IRQ]: SAME_INSTANT | BY_DEVICE,
  [NMI]: SAME_INSTANT,
  [EXCEPTION]: SAME_INSTANT | HAS_MORE,
  [CLOCK]: SAME_INSTANT | (3 << SOURCE_SHIFT),
  [SERIAL]: SAME_INSTANT,
  [SHIM]: SAME_INSTANT | HAS_MORE | FORETOLD,
};

const LINE: Range = { least: 0, most: LINES - 1 };
/** Line, CPL and shadow of an ACCEPT: bits 0 to 3 of the line, CPL << 4, shadow << 6, line >> 4 << 8. */
const LOW_LINE = 15;
const CPL_SHIFT = 4;
const SHADOW_SHIFT = 6;
const HIGH_LINE_SHIFT = 8;
const PACKED: Range = { least: 0, most: 0x1fff };
const TWO_BITS: Range = { least: 0, most: 3 };
const DIFFERENCE: Range = { least: -UINT53.most, most: UINT53.most };
const ARGS_COUNT: Range = { least: 0, most: SHIM_ARGS_MOST };

/** A value of an encoded event. */
type EncodedValue = number | Uint8Array;

/** Encodes the events of one chunk, in order. */
export class EventEncoder {
  readonly #predictions: Predictions;

  /** @param from where the chunk starts; no event lies before it. */
  constructor(from: Instant) {
    this.#predictions = new Predictions(from);
  }

  /**
   * Appends the values that stand for an event.
   * @throws Error where the event lies before the last or has a value outside of its range: a bug.
   */
  encode(event: BodyEvent, encoded: ValueWriter): void {
    const predictions = this.#predictions;
    expectRange(event.at, UINT53, 'instant', event);
    if (event.at < predictions.at) {
      throw new Error(`a ${event.kind} event at @${event.at} after one at @${predictions.at}`);
    }
    const delta = event.at - predictions.at;
    if (event.kind === 'clock') {
      // A guest that waits asks for the time millions of times a second: this allocates nothing.
      const source = CLOCK_SOURCES.indexOf(event.source);
      expectRange(event.value, UINT53, 'value', event);
      const flags = source << SOURCE_SHIFT;
      encoded.integer(tag(CLOCK, delta === 0 ? flags | SAME_INSTANT : flags));
      if (delta !== 0) encoded.integer(delta);
      encoded.integer(event.value - predictions.clocks[source]);
      predictions.at = event.at;
      predictions.clocks[source] = event.value;
      return;
    }
    const { kind, flags, values } = encodeValues(event, predictions);
    if (delta === 0) {
      encoded.integer(tag(kind, flags | SAME_INSTANT));
    } else if (isForetold(kind, flags) && event.at === predictions.calls.nextAt) {
      encoded.integer(tag(kind, flags | PUNCTUAL));
    } else {
      const residual = event.at - predictions.tick - predictions.period;
      const isPeriodic =
        kind === TICK && predictions.period > 0 && integerBytes(residual) < integerBytes(delta);
      encoded.integer(tag(kind, isPeriodic ? flags | PERIODIC : flags));
      encoded.integer(isPeriodic ? residual : delta);
    }
    for (const value of values) {
      if (typeof value === 'number') encoded.integer(value);
      else encoded.binary(value);
    }
    predictions.observe(event);
  }
}

function tag(kind: number, flags: number): number {
  return (kind << FLAG_BITS) | flags;
}

function isForetold(kind: number, flags: number): boolean {
  return kind === SHIM && (flags & FORETOLD) !== 0;
}

interface Encoding {
  readonly kind: number;
  readonly flags: number;
  readonly values: EncodedValue[];
}

function encodeValues(event: Exclude<BodyEvent, ClockEvent>, predictions: Predictions): Encoding {
  switch (event.kind) {
    case 'irq':
      expectRange(event.line, LINE, 'line', event);
      if (isTick(event)) return { kind: TICK, flags: 0, values: [] };
      return { kind: IRQ, flags: event.isInput ? 0 : BY_DEVICE, values: [event.line] };
    case 'accept': {
      const { vector, line, cpl, eip, shadow } = event;
      const eipDelta = (eip - predictions.eip) | 0;
      expectRange(vector, BYTE, 'vector', event);
      expectRange(line, LINE, 'line', event);
      expectRange(cpl, TWO_BITS, 'cpl', event);
      expectRange(shadow, TWO_BITS, 'shadow', event);
      const isForeseen =
        line === predictions.line &&
        vector === predictions.vectors[line] &&
        (cpl === 0 || cpl === 3) &&
        shadow === 0;
      if (isForeseen) {
        return { kind: ACCEPT, flags: cpl === 3 ? FROM_USER : 0, values: [eipDelta] };
      }
      const packed =
        (line & LOW_LINE) |
        (cpl << CPL_SHIFT) |
        (shadow << SHADOW_SHIFT) |
        ((line >> 4) << HIGH_LINE_SHIFT);
      return { kind: ACCEPT, flags: EXPLICIT, values: [vector, packed, eipDelta] };
    }
    case 'nmi':
      return { kind: NMI, flags: 0, values: [] };
    case 'exception': {
      const { vector, errorCode } = event;
      expectRange(vector, BYTE, 'vector', event);
      if (errorCode === null) return { kind: EXCEPTION, flags: 0, values: [vector] };
      expectRange(errorCode, INT32, 'errorCode', event);
      return { kind: EXCEPTION, flags: HAS_MORE, values: [vector, errorCode] };
    }
    case 'serial':
      expectRange(event.byte, BYTE, 'byte', event);
      return { kind: SERIAL, flags: 0, values: [event.byte] };
    case 'shim': {
      if (predictions.calls.foretells(event)) return { kind: SHIM, flags: FORETOLD, values: [] };
      const { call, site, args, result } = event;
      expectRange(call, UINT32, 'call', event);
      expectRange(args.length, ARGS_COUNT, 'number of args', event);
      for (const value of args) expectRange(value, WORD, 'args', event);
      const values = [call, (site - predictions.site) | 0, args.length, ...args];
      if (result === null) return { kind: SHIM, flags: 0, values };
      expectRange(result, WORD, 'result', event);
      return { kind: SHIM, flags: HAS_MORE, values: [...values, result] };
    }
    case 'digest':
      return { kind: DIGEST, flags: 0, values: [asBytes(event.digest)] };
  }
}

function expectRange(value: number, range: Range, what: string, event: BodyEvent): void {
  if (isWithin(value, range)) return;
  throw new Error(
    `${what} ${String(value)} of a ${event.kind} event at @${event.at} cannot be recorded`,
  );
}

/**
 * The events of a chunk's payload, none of which may lie outside of what the chunk's frame says it
 * covers. @throws Malformed with an offset into the payload.
 */
export function decodeEvents(payload: Uint8Array, from: Instant, to: Instant): BodyEvent[] {
  const reader = new ValueReader(payload);
  const predictions = new Predictions(from);
  const events: BodyEvent[] = [];
  while (!reader.isAtEnd) {
    const laterKind = reader.arrayHead();
    if (laterKind !== null) {
      if (laterKind % 2 === 1) continue;
      throw reader.malformed('an event of a known kind', `kind ${laterKind}`, 'unsupported');
    }
    const tagged = reader.integer(BYTE, 'the tag of an event');
    const kind = tagged >> FLAG_BITS;
    const flags = tagged & ((1 << FLAG_BITS) - 1);
    if (!(kind in FLAGS)) {
      throw reader.malformed('an event of a known kind', `kind ${kind}`, 'unsupported');
    }
    if ((flags & ~FLAGS[kind]) !== 0) {
      throw reader.malformed(`known flags of kind ${kind}`, `flags ${flags}`, 'unsupported');
    }
    const at = decodeInstant(reader, predictions, kind, flags, to);
    const event = decodeValues(reader, predictions, at, kind, flags & ~SAME_INSTANT);
    predictions.observe(event);
    events.push(event);
  }
  return events;
}

function decodeInstant(
  reader: ValueReader,
  predictions: Predictions,
  kind: number,
  flags: number,
  to: Instant,
): Instant {
  if ((flags & SAME_INSTANT) !== 0) return predictions.at;
  if (isForetold(kind, flags) && (flags & PUNCTUAL) !== 0) {
    foretold(reader, predictions);
    return checkInstant(reader, predictions, predictions.calls.nextAt, to);
  }
  const isPeriodic = kind === TICK && (flags & PERIODIC) !== 0;
  if (isPeriodic && predictions.period === 0) {
    throw reader.malformed('a timer that has a period', 'one that rose less than twice');
  }
  const base = isPeriodic ? predictions.tick + predictions.period : predictions.at;
  const at = base + reader.integer(DIFFERENCE, 'the instant of an event');
  return checkInstant(reader, predictions, at, to);
}

function foretold(reader: ValueReader, predictions: Predictions): ForetoldCall {
  const { next } = predictions.calls;
  if (next === null) throw reader.malformed('calls that foretell this one', 'none');
  return next;
}

function checkInstant(
  reader: ValueReader,
  predictions: Predictions,
  at: Instant,
  to: Instant,
): Instant {
  if (at >= predictions.at && at <= to) return at;
  throw reader.malformed(`an instant from @${predictions.at} to @${to}`, `@${at}`);
}

function decodeValues(
  reader: ValueReader,
  predictions: Predictions,
  at: Instant,
  kind: number,
  flags: number,
): BodyEvent {
  switch (kind) {
    case TICK:
      return { kind: 'irq', at, line: 0, isInput: true };
    case IRQ: {
      const line = reader.integer(LINE, 'an interrupt line');
      return { kind: 'irq', at, line, isInput: (flags & BY_DEVICE) === 0 };
    }
    case ACCEPT: {
      let { line } = predictions;
      let vector = predictions.vectors[line];
      let cpl = (flags & FROM_USER) !== 0 ? 3 : 0;
      let shadow = 0;
      if ((flags & EXPLICIT) !== 0) {
        vector = reader.integer(BYTE, 'a vector');
        const packed = reader.integer(PACKED, 'line, CPL and shadow');
        line = (packed & LOW_LINE) | ((packed >> HIGH_LINE_SHIFT) << 4);
        cpl = (packed >> CPL_SHIFT) & 3;
        shadow = (packed >> SHADOW_SHIFT) & 3;
      } else if (vector < 0) {
        throw reader.malformed(`a vector, the first of line ${line} in its chunk`, 'none');
      }
      const eip = (predictions.eip + reader.integer(INT32, 'a difference of EIP')) | 0;
      return { kind: 'accept', at, vector, line, cpl, eip, shadow };
    }
    case NMI:
      return { kind: 'nmi', at };
    case EXCEPTION: {
      const vector = reader.integer(BYTE, 'a vector');
      const errorCode = (flags & HAS_MORE) === 0 ? null : reader.integer(INT32, 'an error code');
      return { kind: 'exception', at, vector, errorCode };
    }
    case CLOCK: {
      const index = flags >> SOURCE_SHIFT;
      const value =
        predictions.clocks[index] + reader.integer(DIFFERENCE, 'a difference of clocks');
      if (value < 0 || value > UINT53.most) throw reader.malformed('a clock from 0', `${value}`);
      return { kind: 'clock', at, source: CLOCK_SOURCES[index], value };
    }
    case SERIAL:
      return { kind: 'serial', at, byte: reader.integer(BYTE, 'a byte') };
    case SHIM: {
      if (isForetold(kind, flags)) {
        const { call, site, args, result } = foretold(reader, predictions);
        return { kind: 'shim', at, call, site, args, result };
      }
      const call = reader.integer(UINT32, 'the number of a call');
      const site = (predictions.site + reader.integer(INT32, 'a difference of sites')) | 0;
      const args: number[] = [];
      const count = reader.integer(ARGS_COUNT, 'a number of arguments');
      for (let i = 0; i < count; i++) args.push(reader.integer(WORD, 'an argument'));
      const result = (flags & HAS_MORE) === 0 ? null : reader.integer(WORD, 'a result');
      return { kind: 'shim', at, call, site, args, result };
    }
    case DIGEST:
      return { kind: 'digest', at, digest: asHex(reader.bytes(DIGEST_BYTES_MOST, 'a digest')) };
    default:
      throw new Error(`kind ${kind} has flags and no decoder`);
  }
}
