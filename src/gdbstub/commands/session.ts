/** What opens, describes and closes a session, and `monitor`. */
import { fromHex } from '../bytes.js';
import type { Command } from './command.js';
import type { PacketReader } from './packet-reader.js';
import { bare, type PacketRow } from './packet-row.js';

function parseMonitor(reader: PacketReader): Command | null {
  if (!reader.skip(',')) return null;
  const bytes = fromHex(reader.text());
  return bytes === null ? null : { kind: 'monitor', line: Buffer.from(bytes).toString('utf8') };
}

export const SESSION_PACKETS: readonly PacketRow[] = [
  {
    name: 'qSupported',
    // gdb lists its own features behind a colon; all are welcome, known to us or not.
    parse: (reader: PacketReader): Command | null => {
      if (!reader.skip(':') && !reader.isAtEnd) return null;
      return { kind: 'supported', features: reader.text().split(';') };
    },
  },
  { name: 'vMustReplyEmpty', parse: bare({ kind: 'must-reply-empty' }) },
  {
    name: 'QStartNoAckMode',
    announces: ['QStartNoAckMode+'],
    parse: bare({ kind: 'start-no-ack' }),
  },
  { name: 'qTStatus', parse: bare({ kind: 'trace-status' }) },
  { name: 'qOffsets', parse: bare({ kind: 'offsets' }) },
  { name: 'qSymbol', parse: () => ({ kind: 'symbol-lookup' }) },
  // In the multiprocess form the process follows; there is one anyway.
  { name: 'qAttached', parse: () => ({ kind: 'attached' }) },
  { name: 'qRcmd', needs: 'monitor', parse: parseMonitor },
  { name: '?', parse: bare({ kind: 'stop-reason' }) },
  { name: 'D', parse: () => ({ kind: 'detach' }) },
  { name: 'k', parse: () => ({ kind: 'kill', wantsReply: false }) },
  { name: 'vKill', parse: () => ({ kind: 'kill', wantsReply: true }) },
  { name: '!', needs: 'restart', parse: bare({ kind: 'extended' }) },
  // A program's name and arguments follow: there is one program.
  { name: 'vRun', needs: 'restart', parse: () => ({ kind: 'run' }) },
  { name: 'R', needs: 'restart', parse: () => ({ kind: 'restart' }) },
];
