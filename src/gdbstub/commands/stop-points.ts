/** `Z` and `z`. GDB manual, "Packets". */

import { type BreakpointExtras, STOP_POINT_KINDS, type StopPointKind } from './command.js';
import type { PacketReader } from './packet-reader.js';
import type { PacketRow } from './packet-row.js';

/**
 * Unless `swbreak` and `hwbreak` are announced, gdb 13 to 16 apply the rule of INT3 and move EIP back
 * behind an instruction that happens to lie before a breakpoint.
 */
const ANNOUNCED: Partial<Record<StopPointKind, readonly string[]>> = {
  software: ['swbreak+', 'ConditionalBreakpoints+', 'BreakpointCommands+'],
  hardware: ['hwbreak+'],
};

function row(
  kind: 'insert-stop-point' | 'remove-stop-point',
  point: StopPointKind,
  number: number,
): PacketRow {
  const announces = kind === 'insert-stop-point' ? ANNOUNCED[point] : undefined;
  return {
    name: `${kind === 'insert-stop-point' ? 'Z' : 'z'}${number}`,
    needs: point === 'software' || point === 'hardware' ? 'breakpoints' : 'watchpoints',
    ...(announces === undefined ? {} : { announces }),
    parse: (reader) => {
      if (!reader.skip(',')) return null;
      const place = reader.hexPair();
      const takesExtras = kind === 'insert-stop-point' || reader.isAtEnd;
      const extras = place === null || !takesExtras ? null : parseExtras(reader);
      if (place === null || extras === null) return null;
      const stopPoint = { point, address: place[0], length: place[1] };
      return kind === 'insert-stop-point'
        ? { kind, ...stopPoint, ...extras }
        : { kind, ...stopPoint };
    },
  };
}

/** `;X LENGTH,HEX X LENGTH,HEX...` (without the spaces) and `;cmds:PERSIST,X LENGTH,HEX...`. */
function parseExtras(reader: PacketReader): BreakpointExtras | null {
  const extras: { conditions?: Uint8Array[]; commands?: Uint8Array[] } = {};
  while (!reader.isAtEnd) {
    if (!reader.skip(';')) return null;
    const isCommands = reader.skipText('cmds:');
    // Whether commands are to outlive the client; they never do.
    if (isCommands && (reader.hex() === null || !reader.skip(','))) return null;
    const expressions: Uint8Array[] = [];
    while (reader.skip('X')) {
      const length = reader.hex();
      const bytes = length === null || !reader.skip(',') ? null : reader.hexBytesOf(length);
      if (bytes === null) return null;
      expressions.push(bytes);
    }
    if (expressions.length === 0) return null;
    extras[isCommands ? 'commands' : 'conditions'] = expressions;
  }
  return extras;
}

export const STOP_POINT_PACKETS: readonly PacketRow[] = STOP_POINT_KINDS.flatMap(
  (point, number) => [
    row('insert-stop-point', point, number),
    row('remove-stop-point', point, number),
  ],
);
