/** `H` `T` and the queries about threads. There is one thread, the processor, and its number is 1. */
import type { Command } from './command.js';
import { bare, type PacketRow } from './packet-row.js';

type ThreadCommand = 'select-thread' | 'thread-alive' | 'thread-status';

function parseThread(kind: ThreadCommand, before: string): PacketRow['parse'] {
  return (reader): Command | null => {
    if (before !== '' && !reader.skip(before)) return null;
    const thread = reader.thread();
    return thread === null || !reader.isAtEnd ? null : { kind, thread };
  };
}

export const THREAD_PACKETS: readonly PacketRow[] = [
  { name: 'Hg', parse: parseThread('select-thread', '') },
  { name: 'Hc', parse: parseThread('select-thread', '') },
  { name: 'T', parse: parseThread('thread-alive', '') },
  { name: 'qC', parse: bare({ kind: 'current-thread' }) },
  { name: 'qfThreadInfo', parse: bare({ kind: 'first-threads' }) },
  { name: 'qsThreadInfo', parse: bare({ kind: 'more-threads' }) },
  { name: 'qThreadExtraInfo', needs: 'status', parse: parseThread('thread-status', ',') },
];
