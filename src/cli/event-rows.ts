/**
 * A trace's events as people and programs read them: one row an event, where an interrupt's cause (the
 * line rises) and effect (the processor takes it) are one row.
 */
import { SHADOW_MOV_SS, SHADOW_STI } from '../cpu/state-layout.js';
import { isAlarmLine } from '../machine/input.js';
import type { ShimEvent, TraceEvent } from '../replay/event.js';
import { callName } from '../vmi/call-names.js';
import { type Symbols, symbolText } from './disassembly.js';

/** The interrupt shadow by name. */
export type ShadowText = 'none' | 'sti' | 'mov-ss';

/** An interrupt line that rose, and where the processor took the interrupt. */
export interface InterruptRow {
  /** The instant at which the line rose; of a spurious interrupt, at which it was taken. */
  readonly instant: number;
  readonly kind: 'irq';
  readonly line: number;
  /** `timer`: an input, injected at that instant. `device`: followed from what the guest did. */
  readonly source: 'timer' | 'device';
  /** Null for a spurious interrupt, which no line explains. */
  readonly raisedAt: number | null;
  /** The boundary at which it was taken; null, as all that follows, where it never was. */
  readonly acceptedAt: number | null;
  readonly vector: number | null;
  readonly cpl: number | null;
  readonly eip: number | null;
  readonly symbol: string | null;
  readonly shadow: ShadowText | null;
}

/** Any other event, with the fields of its kind. */
export interface PlainRow {
  readonly instant: number;
  readonly kind: Exclude<TraceEvent['kind'], 'irq' | 'accept'>;
  readonly [field: string]: unknown;
}

export type EventRow = InterruptRow | PlainRow;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The name of a SHADOW_* value. */
export function shadowText(shadow: number): ShadowText {
  if (shadow === SHADOW_STI) return 'sti';
  return shadow === SHADOW_MOV_SS ? 'mov-ss' : 'none';
}

/**
 * Rows in the order of their instants. A raised line waits for its acceptance, and what comes after it
 * waits with it. Where a line rises again before it was taken, both rows name the same acceptance:
 * the controller remembers one edge.
 */
export function* eventRows(
  events: Iterable<TraceEvent>,
  symbols: Symbols | null,
): Generator<EventRow, void> {
  let waiting: EventRow[] = [];
  const raised = new Map<number, Writable<InterruptRow>[]>();
  for (const event of events) {
    if (event.kind === 'accept') {
      const taken = {
        acceptedAt: event.at,
        vector: event.vector,
        cpl: event.cpl,
        eip: event.eip >>> 0,
        symbol: symbolText(symbols, event.eip),
        shadow: shadowText(event.shadow),
      };
      const causes = raised.get(event.line) ?? [];
      raised.delete(event.line);
      for (const row of causes) Object.assign(row, taken);
      if (causes.length === 0) {
        waiting.push({ ...raisedRow(event.at, event.line, 'device'), ...taken, raisedAt: null });
      }
    } else if (event.kind === 'irq') {
      const row = raisedRow(event.at, event.line, event.isInput ? 'timer' : 'device');
      // What an alarm does to the controller is an event of its own.
      if (!isAlarmLine(event.line)) {
        raised.set(event.line, [...(raised.get(event.line) ?? []), row]);
      }
      waiting.push(row);
    } else if (event.kind === 'shim') {
      waiting.push(callRow(event, symbols));
    } else {
      const { at, ...fields } = event;
      waiting.push({ instant: at, ...fields });
    }
    if (raised.size === 0) {
      yield* waiting;
      waiting = [];
    }
  }
  yield* waiting;
}

function callRow(event: ShimEvent, symbols: Symbols | null): PlainRow {
  const { at, kind, call, site, args, result } = event;
  return {
    instant: at,
    kind,
    call,
    name: callName(call),
    site: site >>> 0,
    symbol: symbolText(symbols, site),
    args: args.map((value) => value >>> 0),
    result: result === null ? null : result >>> 0,
  };
}

function raisedRow(at: number, line: number, source: 'timer' | 'device'): InterruptRow {
  return {
    instant: at,
    kind: 'irq',
    line,
    source,
    raisedAt: at,
    acceptedAt: null,
    vector: null,
    cpl: null,
    eip: null,
    symbol: null,
    shadow: null,
  };
}

/** The last `count` rows before an instant and the first `count` from it on. */
export function* rowsAround(
  rows: Iterable<EventRow>,
  instant: number,
  count: number,
): Generator<EventRow, void> {
  let before: EventRow[] = [];
  let after = 0;
  for (const row of rows) {
    if (row.instant < instant) {
      before.push(row);
      if (before.length > count) before.shift();
      continue;
    }
    yield* before;
    before = [];
    if (after === count) return;
    after += 1;
    yield row;
  }
  yield* before;
}
