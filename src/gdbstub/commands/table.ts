/**
 * The packets that we understand, and the way from bytes to commands. What `qSupported` announces is
 * derived from the same rows, so it can't promise what the parser does not know.
 */
import { latin1Text } from '../bytes.js';
import type { DebugTarget } from '../target.js';
import type { Command } from './command.js';
import { FILE_PACKETS } from './files.js';
import { MEMORY_PACKETS } from './memory.js';
import { OBJECT_PACKETS } from './objects.js';
import { PacketReader } from './packet-reader.js';
import type { PacketRow } from './packet-row.js';
import { REGISTER_PACKETS } from './registers.js';
import { RESUME_PACKETS } from './resume.js';
import { SESSION_PACKETS } from './session.js';
import { STOP_POINT_PACKETS } from './stop-points.js';
import { THREAD_PACKETS } from './threads.js';
import { TRACING_PACKETS } from './tracing.js';

// Longest name first, so that `vCont?` is not taken for `vCont` nor `qC` for `qCRC`.
const ROWS: readonly PacketRow[] = [
  ...SESSION_PACKETS,
  ...THREAD_PACKETS,
  ...REGISTER_PACKETS,
  ...MEMORY_PACKETS,
  ...RESUME_PACKETS,
  ...STOP_POINT_PACKETS,
  ...OBJECT_PACKETS,
  ...FILE_PACKETS,
  ...TRACING_PACKETS,
].sort((a, b) => b.name.length - a.name.length);

const LONGEST_NAME = ROWS[0].name.length;

/** What became of a packet's bytes. */
export type Parsed =
  | { readonly kind: 'command'; readonly command: Command }
  /** Not one of ours: gdb wants an empty reply. */
  | { readonly kind: 'unknown' }
  /** One of ours, with arguments that make no sense. */
  | { readonly kind: 'malformed' };

/** Understands a packet, as far as the target has what it needs. */
export function parsePacket(body: Uint8Array, target: DebugTarget): Parsed {
  const head = latin1Text(body.subarray(0, LONGEST_NAME + 1));
  const row = ROWS.find((candidate) => beginsWith(head, candidate.name));
  if (row === undefined || !isKnown(row, target)) return { kind: 'unknown' };
  const command = row.parse(new PacketReader(body, row.name.length));
  return command === null ? { kind: 'malformed' } : { kind: 'command', command };
}

/** How the packets that are understood begin. */
export const PACKET_NAMES: readonly string[] = ROWS.map(({ name }) => name);

/** The keys of the `qSupported` reply, but for PacketSize. */
export function announcedFeatures(target: DebugTarget): string[] {
  return ROWS.filter((row) => isKnown(row, target)).flatMap((row) => row.announces ?? []);
}

function isKnown(row: PacketRow, target: DebugTarget): boolean {
  if (row.needs === undefined) return true;
  return [row.needs].flat().some((capability) => target[capability] !== undefined);
}

/**
 * Names of queries and of `v` packets are words and end where the word ends. Other names are followed
 * by their arguments at once.
 */
function beginsWith(head: string, name: string): boolean {
  if (!head.startsWith(name)) return false;
  return !/^[qQv]/.test(name) || !/[A-Za-z]/.test(head.charAt(name.length));
}
