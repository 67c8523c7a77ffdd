/** The server's side of gdb's remote protocol, without sockets, and the bridge to a timeline. */
export { I386_LAYOUT } from './i386-registers.js';
export type { MonitorCommand } from './monitor/command.js';
export {
  layOutRegisters,
  type RegisterDefinition,
  type RegisterFeature,
  type RegisterLayout,
} from './register-layout.js';
export { GdbSession, type SessionHost } from './session.js';
export type {
  DebugTarget,
  MemoryAccess,
  Motion,
  RegisterAccess,
  StopConditions,
  TargetStop,
  WatchAccess,
  Watchpoint,
} from './target.js';
export { type TargetSurroundings, TimelineTarget } from './timeline-target.js';
