/** `vFile`: the client reads files of the target's. GDB manual, "Host I/O Packets". */

import type { Capability } from '../target.js';
import type { Command } from './command.js';
import type { PacketReader } from './packet-reader.js';
import type { PacketRow } from './packet-row.js';

/** What of the target is a file. */
const FILES: readonly Capability[] = ['image', 'library'];

function fileNumber(reader: PacketReader): number | null {
  return reader.skip(':') ? reader.hex() : null;
}

export const FILE_PACKETS: readonly PacketRow[] = [
  // A process's own view of the file system: there is one file system.
  { name: 'vFile:setfs', needs: FILES, parse: () => ({ kind: 'select-files' }) },
  {
    name: 'vFile:open',
    needs: FILES,
    parse: (reader: PacketReader): Command | null => {
      if (!reader.skip(':')) return null;
      const name = Buffer.from(reader.textUpTo(','), 'hex').toString('utf8');
      // Flags and mode follow; all files are for reading.
      return name === '' ? null : { kind: 'open-file', name };
    },
  },
  {
    name: 'vFile:fstat',
    needs: FILES,
    parse: (reader: PacketReader): Command | null => {
      const file = fileNumber(reader);
      return file === null || !reader.isAtEnd ? null : { kind: 'file-status', file };
    },
  },
  {
    name: 'vFile:pread',
    needs: FILES,
    parse: (reader: PacketReader): Command | null => {
      const file = fileNumber(reader);
      if (file === null || !reader.skip(',')) return null;
      const range = reader.hexPair();
      if (range === null || !reader.isAtEnd) return null;
      return { kind: 'read-file', file, length: range[0], offset: range[1] };
    },
  },
  {
    name: 'vFile:close',
    needs: FILES,
    parse: (reader: PacketReader): Command | null => {
      const file = fileNumber(reader);
      return file === null || !reader.isAtEnd ? null : { kind: 'close-file', file };
    },
  },
];
