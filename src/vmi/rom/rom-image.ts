/**
 * The image of the ROM: what its header tells the hypervisor, and what the hypervisor adds to it before a
 * guest sees it. Its source is guest/vmi-rom/vmi-rom.s.
 */
import { UserError } from '../../machine/user-error.js';
import { REGION, SHARED } from '../layout.js';
import type { Region } from '../stubs.js';
import { REGION_CALLS } from './rom-calls.js';

/** Where the ROM lies in physical memory. The words that it shares with the hypervisor follow. */
export const ROM = REGION;
export const ROM_BYTES = SHARED - REGION;

const SIGNATURE = 0xaa55;
/** "cVmi". */
const VROM_SIGNATURE = 0x696d5663;
const API_MAJOR = 3;
/** Words that the header reserves, from here on: see the source. */
const TABLE = 0x20;
const CALLS = 0x22;
const REGION_AT = 0x24;
const REGION_LENGTH = 0x26;
const INIT_TRAP = 0x28;
const UNKNOWN_TRAP = 0x2a;
const HEADER_BYTES = 0x90;

/** Offsets are from the beginning of the ROM. */
export interface RomImage {
  readonly bytes: Uint8Array;
  readonly table: number;
  /** Numbers of calls by the offset of their stub's first instruction. */
  readonly calls: ReadonlyMap<number, number>;
  /** The room for the published region. */
  readonly region: number;
  readonly regionBytes: number;
  /** The instruction of Init, and that of a question for a call that nobody knows. */
  readonly initTrap: number;
  readonly unknownTrap: number;
}

/** Reads the header of a ROM. @throws UserError where it isn't one that this hypervisor can use. */
export function parseRom(name: string, bytes: Uint8Array): RomImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isRom =
    bytes.length === ROM_BYTES &&
    view.getUint16(0, true) === SIGNATURE &&
    view.getUint32(8, true) === VROM_SIGNATURE &&
    bytes[0x0d] === API_MAJOR;
  if (!isRom) throw foreign(name, `${ROM_BYTES} bytes of API ${API_MAJOR}`);
  const word = (at: number): number => view.getUint16(at, true);
  const image = {
    bytes,
    table: word(TABLE),
    calls: new Map<number, number>(),
    region: word(REGION_AT),
    regionBytes: word(REGION_LENGTH),
    initTrap: word(INIT_TRAP),
    unknownTrap: word(UNKNOWN_TRAP),
  };
  const count = word(CALLS);
  const isWithin =
    image.table >= HEADER_BYTES &&
    image.table + count * 2 <= image.region &&
    image.region + image.regionBytes < ROM_BYTES &&
    image.initTrap >= HEADER_BYTES &&
    image.initTrap < image.region &&
    image.unknownTrap >= HEADER_BYTES &&
    image.unknownTrap < image.region;
  if (!isWithin) throw foreign(name, 'a table and a region within it');
  for (let number = 0; number < count; number++) {
    const stub = word(image.table + number * 2);
    if (stub !== 0) image.calls.set(stub, number);
  }
  return image;
}

/**
 * The ROM as a guest sees it: with the published region in it, the entries of its calls, and a sum of 0.
 * @param first the first linear address of the ROM, where `region` was built for it.
 */
export function completeRom(image: RomImage, region: Region, first: number): Uint8Array {
  if (region.bytes.length > image.regionBytes) {
    throw new Error(`the published region takes ${region.bytes.length} bytes`);
  }
  const bytes = Uint8Array.from(image.bytes);
  const view = new DataView(bytes.buffer);
  bytes.set(region.bytes, image.region);
  for (const [number, stub] of REGION_CALLS) {
    view.setUint16(image.table + number * 2, region.stubs[stub] - first, true);
  }
  bytes[ROM_BYTES - 1] = 0;
  bytes[ROM_BYTES - 1] = -bytes.reduce((sum, byte) => sum + byte, 0);
  return bytes;
}

function foreign(name: string, wanted: string): UserError {
  return new UserError(
    `${name} is no ROM of the VMI hypervisor: ${wanted} expected; build it anew`,
  );
}
