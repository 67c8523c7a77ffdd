/** `g` `G` `p` `P`. GDB manual, "Packets". */
import type { Command } from './command.js';
import type { PacketReader } from './packet-reader.js';
import { bare, type PacketRow } from './packet-row.js';

export const REGISTER_PACKETS: readonly PacketRow[] = [
  { name: 'g', parse: bare({ kind: 'read-registers' }) },
  {
    name: 'G',
    parse: (reader: PacketReader): Command | null => {
      const bytes = reader.hexBytes();
      return bytes === null ? null : { kind: 'write-registers', bytes };
    },
  },
  {
    name: 'p',
    parse: (reader: PacketReader): Command | null => {
      const index = reader.hex();
      return index === null || !reader.isAtEnd ? null : { kind: 'read-register', index };
    },
  },
  {
    name: 'P',
    parse: (reader: PacketReader): Command | null => {
      const index = reader.hex();
      if (index === null || !reader.skip('=')) return null;
      const bytes = reader.hexBytes();
      return bytes === null ? null : { kind: 'write-register', index, bytes };
    },
  },
];
