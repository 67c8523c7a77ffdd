/** What a trace holds, in numbers: what `holdoff info` prints. */
import type { Instant } from './instant.js';
import type { Outcome } from './outcome.js';
import type { TraceDamage } from './trace-damage.js';
import type { Trace } from './trace-format.js';

/** A trace in numbers. */
export interface TraceSummary {
  /** Of the trace format, and of the holdoff that recorded it. */
  readonly formatVersion: number;
  readonly holdoffVersion: string;
  /** The instant at which the trace starts: 0, or that of its first state. */
  readonly from: Instant;
  /** The last instant that it covers. */
  readonly instants: Instant;
  /** How many checkpoints it has on the way. */
  readonly checkpoints: number;
  readonly events: {
    /** Interrupts that the processor took. */
    readonly irq: number;
    /** Exceptions that were injected. */
    readonly exception: number;
    readonly nmi: number;
    /** Paravirtual calls. */
    readonly shim: number;
    /** Values read from clocks. */
    readonly clock: number;
    /** Bytes that arrived at the serial port. */
    readonly serial: number;
  };
  /** Bytes of the file, and those of them that are whole. */
  readonly bytes: number;
  readonly wholeBytes: number;
  /** The last digest in the trace, at its end where it has one; null where it holds none. */
  readonly digest: string | null;
  readonly outcome: Outcome;
  readonly damage: TraceDamage | null;
}

/** Sums up a trace. Reads the events of one that has no end, to find its last digest. */
export function summarise(trace: Trace): TraceSummary {
  const { accept: irq, exception, nmi, shim, clock, serial } = trace.counts;
  return {
    formatVersion: trace.formatVersion,
    holdoffVersion: trace.header.holdoffVersion,
    from: trace.firstInstant,
    instants: trace.lastInstant,
    checkpoints: trace.checkpoints.length,
    events: { irq, exception, nmi, shim, clock, serial },
    bytes: trace.byteLength,
    wholeBytes: trace.wholeBytes,
    digest: trace.end?.digest ?? lastDigest(trace),
    outcome: trace.end?.outcome ?? { kind: 'incomplete' },
    damage: trace.damage,
  };
}

function lastDigest(trace: Trace): string | null {
  if (trace.counts.digest === 0) return null;
  let digest = null;
  for (const event of trace.events) if (event.kind === 'digest') digest = event.digest;
  return digest;
}
