/** The processor as the one thread that gdb wants to see. */
import { textToHex } from '../bytes.js';
import type { Handlers } from './handler.js';
import { invalid, OK, type Reply, text, UNKNOWN } from './reply.js';

type ThreadHandlers = Pick<
  Handlers,
  | 'select-thread'
  | 'current-thread'
  | 'first-threads'
  | 'more-threads'
  | 'thread-alive'
  | 'thread-status'
  | 'pass-signals'
>;

/** -1 is all threads and 0 any of them; ours is 1. */
function exists(thread: number): boolean {
  return thread >= -1 && thread <= 1;
}

function ifExists(thread: number, reply: () => Reply): Reply {
  return exists(thread) ? reply() : invalid(`there is no thread ${thread}`);
}

export const THREAD_HANDLERS: ThreadHandlers = {
  'select-thread': ({ thread }) => ifExists(thread, () => OK),
  'current-thread': () => text('QC1'),
  'pass-signals': ({ signals }, { settings }) => {
    settings.passedSignals = new Set(signals);
    return OK;
  },
  'first-threads': () => text('m1'),
  'more-threads': () => text('l'),
  'thread-alive': ({ thread }) => ifExists(thread, () => OK),
  'thread-status': ({ thread }, { target }) =>
    ifExists(thread, () =>
      target.status === undefined ? UNKNOWN : text(textToHex(target.status())),
    ),
};
