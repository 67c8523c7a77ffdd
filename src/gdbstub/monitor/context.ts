/** What the `monitor` commands of a timeline work on. */
import type { Recording } from '../../replay/diversion.js';
import type { Instant } from '../../replay/instant.js';
import type { Timeline } from '../../replay/timeline.js';
import type { PositionHistory } from '../position-history.js';
import type { Symbols } from '../symbols.js';

/** Switches that commands set, and that the target heeds. */
export interface TargetSwitches {
  /** Memory is addressed physically. */
  isPhysical: boolean;
  /** `stepi` takes an interrupt's handler as part of the instruction that it comes before. */
  skipsInterrupts: boolean;
  /** Deliveries of exceptions are reported as signals. */
  reportsExceptions: boolean;
  /** VMI calls are reported as signals. */
  reportsCalls: boolean;
  /** Where the next `continue` goes; null where it goes on as ever. */
  aim: Aim | null;
}

/** Where a `continue` is to go. */
export interface Aim {
  readonly at: Instant;
  /** "back" leads to where it came from. */
  readonly isRemembered: boolean;
}

export interface MonitorContext {
  readonly timeline: Timeline;
  readonly symbols: Symbols | null;
  readonly history: PositionHistory;
  readonly switches: TargetSwitches;
  /** One line on the present state, beginning with the instant. */
  readonly status: () => string;
  /** Tells the user once that a diversion begins here; to be called when one does. */
  readonly noteDiversion: () => void;
  /** Keeps a diversion as a trace of that name, and says where; null where nothing can be kept. */
  readonly saveTrace: ((name: string, recording: Recording) => string) | null;
}
