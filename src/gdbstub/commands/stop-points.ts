/** `Z` and `z`. GDB manual, "Packets". */

import { STOP_POINT_KINDS, type StopPointKind } from './command.js';
import type { PacketRow } from './packet-row.js';

/**
 * Unless `swbreak` and `hwbreak` are announced, gdb 13 to 16 apply the rule of INT3 and move EIP back
 * behind an instruction that happens to lie before a breakpoint.
 */
const ANNOUNCED: Partial<Record<StopPointKind, readonly string[]>> = {
  software: ['swbreak+'],
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
      // Conditions and commands would follow a semicolon; they come only where we announce them.
      if (place === null || !reader.isAtEnd) return null;
      return { kind, point, address: place[0], length: place[1] };
    },
  };
}

export const STOP_POINT_PACKETS: readonly PacketRow[] = STOP_POINT_KINDS.flatMap(
  (point, number) => [
    row('insert-stop-point', point, number),
    row('remove-stop-point', point, number),
  ],
);
