/** `qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH`. GDB manual, "General Query Packets". */
import type { Capability } from '../target.js';
import { OBJECTS, type ObjectName } from './command.js';
import type { PacketRow } from './packet-row.js';

/** What of the target an object is made of, where it may be missing. */
const NEEDS: Partial<Record<ObjectName, Capability>> = {
  'exec-file': 'image',
  libraries: 'library',
  'memory-map': 'memoryMap',
  threads: 'status',
  osdata: 'tables',
  btrace: 'branches',
  'btrace-conf': 'branches',
};

export const OBJECT_PACKETS: readonly PacketRow[] = OBJECTS.map((object) => ({
  name: `qXfer:${object}:read`,
  ...(NEEDS[object] === undefined ? {} : { needs: NEEDS[object] }),
  announces: [`qXfer:${object}:read+`],
  parse: (reader) => {
    if (!reader.skip(':')) return null;
    const annex = reader.textUpTo(':');
    const range = reader.hexPair();
    if (range === null || !reader.isAtEnd) return null;
    return { kind: 'read-object', object, annex, offset: range[0], length: range[1] };
  },
}));
