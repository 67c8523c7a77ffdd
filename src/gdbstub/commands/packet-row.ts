/** One row of the table of packets. */
import type { Capability } from '../target.js';
import type { Command } from './command.js';
import type { PacketReader } from './packet-reader.js';

/** A packet that the stub understands. */
export interface PacketRow {
  /** What the packet begins with. */
  readonly name: string;
  /** Without this capability of the target, or any of these, the packet is unknown. */
  readonly needs?: Capability | readonly Capability[];
  /** What `qSupported` announces when the packet is known. */
  readonly announces?: readonly string[];
  /** The command, or null when the arguments are malformed. */
  readonly parse: (reader: PacketReader) => Command | null;
}

/** A parser for a packet without arguments. */
export function bare(command: Command): PacketRow['parse'] {
  return (reader) => (reader.isAtEnd ? command : null);
}
