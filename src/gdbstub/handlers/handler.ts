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
}

export type Handlers = {
  readonly [K in Command['kind']]: (command: CommandOf<K>, context: SessionContext) => Reply;
};
