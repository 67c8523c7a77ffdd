/** Where a replay first left the recorded past. */
import { describeLine } from '../machine/input.js';
import type { TraceEvent } from './event.js';
import { formatInstant, type Instant } from './instant.js';

/** What was found to differ. */
export type Subsystem = 'irq' | 'clock' | 'serial' | 'cpu' | 'digest' | 'end';

/** The first difference between a trace and its replay. */
export interface Divergence {
  /** The first instant at which the two are known to differ. */
  readonly instant: Instant;
  readonly subsystem: Subsystem;
  /** What the trace says. */
  readonly expected: string;
  /** What the replay did. */
  readonly found: string;
}

/** One line: where, what, and both values. */
export function formatDivergence(divergence: Divergence): string {
  const { instant, subsystem, expected, found } = divergence;
  return `diverged at ${formatInstant(instant)} (${subsystem}): expected ${expected}, found ${found}`;
}

/** An event in words, its instant included. */
export function describeEvent(event: TraceEvent): string {
  return `${describeKind(event)} at ${formatInstant(event.at)}`;
}

/** The subsystem to which an event belongs. */
export function subsystemOf(event: TraceEvent): Subsystem {
  switch (event.kind) {
    case 'irq':
    case 'accept':
      return 'irq';
    case 'clock':
    case 'serial':
    case 'digest':
    case 'end':
      return event.kind;
    case 'nmi':
    case 'exception':
    case 'shim':
      return 'cpu';
  }
}

function describeKind(event: TraceEvent): string {
  switch (event.kind) {
    case 'irq':
      return `${describeLine(event.line)} raised`;
    case 'accept': {
      const eip = (event.eip >>> 0).toString(16);
      return `${describeLine(event.line)} taken (vector ${event.vector}, CPL ${event.cpl}, EIP 0x${eip}, shadow ${event.shadow})`;
    }
    case 'nmi':
      return 'an NMI';
    case 'exception':
      return `an injected exception ${event.vector}`;
    case 'clock':
      return `a read of the ${event.source} clock`;
    case 'serial':
      return 'a serial byte';
    case 'shim':
      return `shim call ${event.call}`;
    case 'digest':
      return `digest ${event.digest}`;
    case 'end':
      return `the end (${event.outcome.kind})`;
  }
}
