/** All handlers by the kind of command, and the call of the right one. */
import type { Command, CommandOf } from '../commands/command.js';
import { DOCUMENT_HANDLERS } from './documents.js';
import { FILE_HANDLERS } from './files.js';
import type { Handlers, SessionContext } from './handler.js';
import { MEMORY_HANDLERS } from './memory.js';
import { MEMORY_SEARCH_HANDLERS } from './memory-search.js';
import { MONITOR_HANDLERS } from './monitor.js';
import { REGISTER_HANDLERS } from './registers.js';
import type { Reply } from './reply.js';
import { RESUME_HANDLERS } from './resume.js';
import { SESSION_HANDLERS } from './session.js';
import { STOP_POINT_HANDLERS } from './stop-points.js';
import { THREAD_HANDLERS } from './threads.js';

const HANDLERS: Handlers = {
  ...SESSION_HANDLERS,
  ...THREAD_HANDLERS,
  ...REGISTER_HANDLERS,
  ...MEMORY_HANDLERS,
  ...RESUME_HANDLERS,
  ...STOP_POINT_HANDLERS,
  ...MONITOR_HANDLERS,
  ...DOCUMENT_HANDLERS,
  ...FILE_HANDLERS,
  ...MEMORY_SEARCH_HANDLERS,
};

/** Does what a command asks for. */
export function handleCommand<K extends Command['kind']>(
  command: CommandOf<K>,
  context: SessionContext,
): Reply {
  const handler: (command: CommandOf<K>, context: SessionContext) => Reply = HANDLERS[command.kind];
  return handler(command, context);
}
