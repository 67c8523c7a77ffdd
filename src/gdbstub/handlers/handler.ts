/** The form of a handler. Each command has one; a kind without a handler does not compile. */
import type { Command, CommandOf } from '../commands/command.js';
import type { StopPoints } from '../stop-points.js';
import type { DebugTarget } from '../target.js';
import type { Reply } from './reply.js';

/** What a handler works on. */
export interface SessionContext {
  readonly target: DebugTarget;
  readonly stopPoints: StopPoints;
  /** Features that the client announced, with their `+`. */
  readonly clientFeatures: Set<string>;
  /** Prints a text on the client's console, which it takes while the target runs. */
  readonly print: (text: string) => void;
  /** What the client has set. */
  readonly settings: SessionSettings;
  /** Documents that the client is reading in pieces, by object and annex. */
  readonly documents: Map<string, Uint8Array>;
}

export interface SessionSettings {
  /** The client may restart the target, and stays connected when it has killed it. */
  isExtended: boolean;
  tracesBranches: boolean;
  /** Signals that are no reason to stop; null until the client has said which. */
  passedSignals: ReadonlySet<number> | null;
}

export type Handlers = {
  readonly [K in Command['kind']]: (command: CommandOf<K>, context: SessionContext) => Reply;
};
