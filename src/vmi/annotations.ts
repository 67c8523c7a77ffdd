/**
 * The annotation table of a 2006 guest: where its kernel has instructions that a hypervisor may take
 * over. All of it is checked before a byte of the guest is touched.
 *
 * A record is 16 bytes: call number, site address, translation address (4 bytes each), site length,
 * translation length, padding length (signed), offset of the CALL within the translation (1 byte each).
 */
import { UserError } from '../machine/user-error.js';
import { type VmiCall, vmiCall } from './calls.js';

export const RECORD_BYTES = 16;
/** The length of CALL rel32: no site is shorter. */
export const CALL_BYTES = 5;
const OPCODE_CALL = 0xe8;

/** A site to patch. */
export interface Site {
  readonly call: VmiCall;
  /** Linear address, unsigned. */
  readonly address: number;
  /** Bytes: the native instruction and its padding. */
  readonly length: number;
}

/** Where the table lies, and where guest code may lie: half-open ranges of addresses. */
export interface TableBounds {
  readonly first: number;
  readonly end: number;
  /** Ranges of the image that hold bytes. */
  readonly segments: readonly { readonly first: number; readonly end: number }[];
}

/**
 * Reads and checks the table.
 * @param name the image's, for messages.
 * @param memory RAM, which is only read.
 * @returns the sites by address.
 * @throws UserError for a bad record: its index, its address, and what is wrong.
 */
export function readAnnotations(name: string, memory: Uint8Array, bounds: TableBounds): Site[] {
  const { first, end } = bounds;
  const length = end - first;
  if (length < 0 || length % RECORD_BYTES !== 0 || !isInside(bounds, first, length)) {
    throw new UserError(
      `${name}: the annotation table from ${hex(first)} to ${hex(end)} is no row of 16-byte records in the image; link it anew, or leave out --vmi inline`,
    );
  }
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  const sites: Site[] = [];
  for (let at = first; at < end; at += RECORD_BYTES) {
    const index = (at - first) / RECORD_BYTES;
    const fault = (reason: string): never => {
      throw new UserError(
        `${name}: annotation ${index} at ${hex(at)}: ${reason}; nothing was patched`,
      );
    };
    sites.push(readRecord(view, memory, at, bounds, fault));
  }
  checkOverlaps(name, sites, bounds);
  return sites.sort((a, b) => a.address - b.address);
}

function readRecord(
  view: DataView,
  memory: Uint8Array,
  at: number,
  bounds: TableBounds,
  fault: (reason: string) => never,
): Site {
  const number = view.getUint32(at, true);
  const address = view.getUint32(at + 4, true);
  const translation = view.getUint32(at + 8, true);
  const length = view.getUint8(at + 12);
  const translationLength = view.getUint8(at + 13);
  const padding = view.getInt8(at + 14);
  const callOffset = view.getUint8(at + 15);
  const call = vmiCall(number);
  if (call === null) return fault(`call ${number} is not served`);
  if (!isInside(bounds, address, length)) {
    fault(`its site, ${length} bytes at ${hex(address)}, lies outside the image`);
  }
  if (length < CALL_BYTES) fault(`its site is ${length} bytes long, shorter than a CALL`);
  if (padding < 0 || length - padding < call.opening.length) {
    fault(`${padding} bytes of padding don't fit a ${call.name} of ${length} bytes`);
  }
  if (!call.opening.every((byte, offset) => memory[address + offset] === byte)) {
    fault(`there is no ${call.name} at its site ${hex(address)}`);
  }
  if (!isInside(bounds, translation, translationLength)) {
    fault(
      `its translation, ${translationLength} bytes at ${hex(translation)}, lies outside the image`,
    );
  }
  const callEnd = callOffset + CALL_BYTES;
  if (callEnd > translationLength || memory[translation + callOffset] !== OPCODE_CALL) {
    fault(`its translation has no CALL at offset ${callOffset}`);
  }
  if (translationLength !== CALL_BYTES) {
    fault('its translation passes arguments on the stack, which no served call takes');
  }
  return { call, address, length };
}

/** Sites may touch neither each other nor the table. */
function checkOverlaps(name: string, sites: readonly Site[], bounds: TableBounds): void {
  const order = sites.map((site, index) => ({ ...site, index }));
  order.sort((a, b) => a.address - b.address);
  order.forEach((site, place) => {
    const next = order.at(place + 1);
    const end = site.address + site.length;
    const hitsTable = site.address < bounds.end && end > bounds.first;
    if (!hitsTable && (next === undefined || next.address >= end)) return;
    const what = hitsTable ? 'the annotation table' : `that of annotation ${next!.index}`;
    throw new UserError(
      `${name}: annotation ${site.index} at ${hex(bounds.first + site.index * RECORD_BYTES)}: its site at ${hex(site.address)} overlaps ${what}; nothing was patched`,
    );
  });
}

function isInside(bounds: TableBounds, first: number, length: number): boolean {
  return bounds.segments.some((range) => first >= range.first && first + length <= range.end);
}

function hex(address: number): string {
  return `0x${address.toString(16).padStart(8, '0')}`;
}
