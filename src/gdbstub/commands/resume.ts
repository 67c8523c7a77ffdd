/** `vCont` `c` `C` `s` `S` `bs` `bc`. GDB manual, "Packets", "Reverse Execution". */
import type { Command, ResumeAction } from './command.js';
import type { PacketReader } from './packet-reader.js';
import { bare, type PacketRow } from './packet-row.js';

/**
 * `vCont;ACTION[:THREAD];ACTION[:THREAD]...`: the leftmost action that names our one thread, or no
 * thread at all, is the one that counts. Signals are dropped, as a processor has none.
 */
function parseVCont(reader: PacketReader): Command | null {
  let chosen: ResumeAction | null = null;
  while (!reader.isAtEnd) {
    if (!reader.skip(';')) return null;
    const action = parseAction(reader);
    if (action === null) return null;
    if (reader.skip(':') && reader.thread() === null) return null;
    chosen ??= action;
  }
  return chosen === null ? null : { kind: 'resume', action: chosen };
}

function parseAction(reader: PacketReader): ResumeAction | null {
  if (reader.skip('c')) return { kind: 'continue' };
  if (reader.skip('s')) return { kind: 'step' };
  if (reader.skip('C')) return reader.hex() === null ? null : { kind: 'continue' };
  if (reader.skip('S')) return reader.hex() === null ? null : { kind: 'step' };
  if (!reader.skip('r')) return null;
  const range = reader.hexPair();
  return range === null ? null : { kind: 'range', first: range[0], end: range[1] };
}

/** Going on at an address of the packet's choice is refused: gdb sets the register instead. */
function parseSignalled(action: ResumeAction): PacketRow['parse'] {
  return (reader) => (reader.hex() === null || !reader.isAtEnd ? null : { kind: 'resume', action });
}

export const RESUME_PACKETS: readonly PacketRow[] = [
  { name: 'vCont?', announces: ['vContSupported+'], parse: bare({ kind: 'resume-actions' }) },
  { name: 'vCont', parse: parseVCont },
  { name: 'c', parse: bare({ kind: 'resume', action: { kind: 'continue' } }) },
  { name: 's', parse: bare({ kind: 'resume', action: { kind: 'step' } }) },
  { name: 'C', parse: parseSignalled({ kind: 'continue' }) },
  { name: 'S', parse: parseSignalled({ kind: 'step' }) },
  {
    name: 'bs',
    needs: 'backward',
    announces: ['ReverseStep+'],
    parse: bare({ kind: 'reverse', action: { kind: 'step' } }),
  },
  {
    name: 'bc',
    needs: 'backward',
    announces: ['ReverseContinue+'],
    parse: bare({ kind: 'reverse', action: { kind: 'continue' } }),
  },
];
