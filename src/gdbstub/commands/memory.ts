/** `m` `x` `M` `X`. GDB manual, "Packets". */
import type { Command } from './command.js';
import type { PacketReader } from './packet-reader.js';
import type { PacketRow } from './packet-row.js';

function parseRead(isBinary: boolean): PacketRow['parse'] {
  return (reader) => {
    const range = reader.hexPair();
    if (range === null || !reader.isAtEnd) return null;
    return { kind: 'read-memory', address: range[0], length: range[1], isBinary };
  };
}

/** `ADDRESS,LENGTH:` and then as many bytes as the length says. */
function parseWrite(bytesOf: (reader: PacketReader) => Uint8Array | null): PacketRow['parse'] {
  return (reader): Command | null => {
    const range = reader.hexPair();
    if (range === null || !reader.skip(':')) return null;
    const bytes = bytesOf(reader);
    if (bytes?.length !== range[1]) return null;
    return { kind: 'write-memory', address: range[0], bytes };
  };
}

export const MEMORY_PACKETS: readonly PacketRow[] = [
  { name: 'm', parse: parseRead(false) },
  // gdb 16 and later read memory in binary where this is announced.
  { name: 'x', announces: ['binary-upload+'], parse: parseRead(true) },
  { name: 'M', parse: parseWrite((reader) => reader.hexBytes()) },
  { name: 'X', parse: parseWrite((reader) => reader.rest()) },
  {
    name: 'qCRC',
    parse: (reader: PacketReader): Command | null => {
      const range = reader.skip(':') ? reader.hexPair() : null;
      if (range === null || !reader.isAtEnd) return null;
      return { kind: 'checksum', address: range[0], length: range[1] };
    },
  },
  {
    name: 'qSearch:memory',
    announces: ['qSearch:memory+'],
    parse: (reader: PacketReader): Command | null => {
      const address = reader.skip(':') ? reader.hex() : null;
      const length = address === null || !reader.skip(';') ? null : reader.hex();
      if (address === null || length === null || !reader.skip(';')) return null;
      const pattern = reader.rest();
      return pattern.length === 0 ? null : { kind: 'search', address, length, pattern };
    },
  },
];
