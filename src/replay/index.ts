/** Recording, replaying, and moving in both directions of time: what other programs may build on. */
export { HostClock, type HostClockOptions } from './clock/host.js';
export type { IdleResult, InputDoor, LiveSource } from './clock/live-source.js';
export { RandomClock } from './clock/random.js';
export { VirtualClock } from './clock/virtual.js';
export { StateDigest } from './digest.js';
export { type Divergence, formatDivergence, type Subsystem } from './divergence.js';
export type { TraceEvent } from './event.js';
export { type EventCursor, ListCursor, StreamCursor } from './event-cursor.js';
export { formatInstant, type Instant, parseInstant } from './instant.js';
export type { Outcome } from './outcome.js';
export { type EventSink, Recorder } from './recorder.js';
export { type ReplayExit, Replayer } from './replayer.js';
export { Session, type SessionExit, type SessionOptions } from './session.js';
export { type Direction, type Stop, type StopConditions, Timeline } from './timeline.js';
export {
  bytesSource,
  openTrace,
  readTrace,
  Trace,
  type TraceHeader,
  type TraceImage,
  type TraceSource,
  type TraceStart,
  TraceWriter,
} from './trace-format.js';
export type { WatchAccess, Watchpoint } from './watch-set.js';
