/** What is watched beside breakpoints: `QPassSignals`, `Qbtrace`. GDB manual, "General Query Packets". */
import type { Command } from './command.js';
import type { PacketReader } from './packet-reader.js';
import { bare, type PacketRow } from './packet-row.js';

/** gdb has some 150 signals. */
const MOST_SIGNALS = 1024;

export const TRACING_PACKETS: readonly PacketRow[] = [
  {
    name: 'QPassSignals',
    needs: 'deliverySignals',
    announces: ['QPassSignals+'],
    parse: (reader: PacketReader): Command | null => {
      if (!reader.skip(':')) return null;
      const signals: number[] = [];
      for (let signal = reader.hex(); signal !== null; signal = reader.hex()) {
        signals.push(signal);
        if (signals.length > MOST_SIGNALS || !reader.skip(';')) break;
      }
      return reader.isAtEnd ? { kind: 'pass-signals', signals } : null;
    },
  },
  {
    name: 'Qbtrace:bts',
    needs: 'branches',
    announces: ['Qbtrace:bts+'],
    parse: bare({ kind: 'trace-branches', isOn: true }),
  },
  {
    name: 'Qbtrace:off',
    needs: 'branches',
    announces: ['Qbtrace:off+'],
    parse: bare({ kind: 'trace-branches', isOn: false }),
  },
];
