/** The first chunk of a trace: the machine, so that a replay needs nothing but the trace. */
import { createHash } from 'node:crypto';
import { CPU_LEVELS, CPU_VENDORS, type CpuLevel, type CpuVendor } from '../cpu/model.js';
import { DEFAULT_CPU } from '../machine/machine-options.js';
import { UserError } from '../machine/user-error.js';
import { IRET_SCHEMES, type IretScheme } from '../vmi/iret-stubs.js';
import type { CheckpointRecord } from './checkpoint-record.js';
import { describeValue, packValue, unpackValue } from './msgpack.js';
import { Malformed, type MalformedKind } from './trace-damage.js';
import { asHex } from './value-reader.js';

/** Where guest time and timer interrupts came from. */
export type ClockKind = 'virtual' | 'host' | 'random';

/** What an image was to the machine: the kernel that was loaded, its first module, or the ROM. */
export type ImageRole = 'kernel' | 'initrd' | 'bios' | 'vmi-rom';

/** The machine that was recorded. */
export interface RecordedMachine {
  /** RAM in bytes. */
  readonly memoryBytes: number;
  readonly clock: ClockKind;
  /** 0 to 2^53 - 1. */
  readonly seed: number;
  /** Null where the kernel was given none, which is not the same as an empty one. */
  readonly cmdline: string | null;
  /** The processor had a local APIC. False where absent. */
  readonly apic?: boolean;
  /** Which processor it was. `DEFAULT_CPU` where absent. */
  readonly cpu?: CpuLevel;
  /** Whose processor it was. Intel's where absent. */
  readonly cpuVendor?: CpuVendor;
  /** The hypervisor under the guest, and what its IRET did. None where absent. */
  readonly vmi?: VmiDialect;
  readonly vmiIret?: IretScheme;
}

/** How guest and hypervisor find each other. */
export type VmiDialect = (typeof VMI_DIALECTS)[number];
export const VMI_DIALECTS = ['inline', 'rom'] as const;

/** An image as the header lists it; its bytes lie in a chunk of their own, or outside. */
export interface ImageEntry {
  /** The name of the file, without its folder. */
  readonly name: string;
  readonly role: ImageRole;
  readonly byteLength: number;
  /** Where the bytes are not in the trace: how to find them, and to know them. */
  readonly outside?: OutsideImage;
}

/** An image of which a trace has no more than this. */
export interface OutsideImage {
  /** The file's path as it was given to the recorder. */
  readonly path: string;
  /** Of its bytes, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** What a trace says before its events. */
export interface TraceHeader {
  /** The version of holdoff that recorded it. */
  readonly holdoffVersion: string;
  readonly machine: RecordedMachine;
  readonly images: readonly ImageEntry[];
  /** Physical address, 0 to 2^32 - 1, at which a flat kernel was loaded; null for other kernels. */
  readonly loadAddress: number | null;
}

/** An image with its bytes. */
export interface TraceImage {
  readonly name: string;
  readonly role: ImageRole;
  readonly bytes: Uint8Array;
  /** The path by which a trace names it, in the place of holding its bytes. */
  readonly outsidePath?: string;
}

/** What a new trace starts with: its header, with the images themselves. */
export type TraceStart = Omit<TraceHeader, 'images'> & {
  readonly images: readonly TraceImage[];
  /**
   * The state that the recording starts with, as a difference to the one with the images loaded; with
   * that one itself where absent.
   */
  readonly checkpoint?: CheckpointRecord;
};

const CLOCKS: readonly ClockKind[] = ['virtual', 'host', 'random'];
const ROLES: readonly ImageRole[] = ['kernel', 'initrd', 'bios', 'vmi-rom'];
const IMAGES_MOST = 16;
const IMAGE_BYTES_MOST = 1 << 30;
const SHA256_BYTES = 32;
/** From this version on images may be outside. */
const VERSION_OUTSIDE = 4;

/** The lowest version of the format that can say what this header does. */
export function formatVersionOf(start: TraceStart): number {
  if (start.images.some(({ outsidePath }) => outsidePath !== undefined)) return VERSION_OUTSIDE;
  if (start.checkpoint !== undefined) return 3;
  const { apic = false, cpu = DEFAULT_CPU, cpuVendor = 'intel', vmi } = start.machine;
  const isPlain = !apic && cpu === DEFAULT_CPU && cpuVendor === 'intel' && vmi === undefined;
  return isPlain && start.images.every(({ role }) => role !== 'bios') ? 1 : 2;
}

/** The payload of the header chunk. @throws UserError where an image is larger than a trace can hold. */
export function encodeHeader(start: TraceStart): Uint8Array {
  if (start.images.length > IMAGES_MOST)
    throw new Error(`${start.images.length} images in a trace`);
  const tooLarge = start.images.find(({ bytes }) => bytes.length > IMAGE_BYTES_MOST);
  if (tooLarge !== undefined) {
    throw new UserError(`${tooLarge.name} is larger than 1 GiB, the most that a trace can hold`);
  }
  const { memoryBytes, clock, seed, cmdline, apic = false, cpu = DEFAULT_CPU } = start.machine;
  const { cpuVendor = 'intel', vmi, vmiIret } = start.machine;
  return packValue({
    holdoff: start.holdoffVersion,
    machine: {
      memoryBytes,
      clock,
      seed,
      cmdline,
      ...(apic ? { apic } : {}),
      ...(cpu === DEFAULT_CPU ? {} : { cpu }),
      ...(cpuVendor === 'intel' ? {} : { cpuVendor }),
      ...(vmi === undefined ? {} : { vmi, vmiIret }),
    },
    images: start.images.map(encodeImage),
    loadAddress: start.loadAddress,
  });
}

function encodeImage({ name, role, bytes, outsidePath }: TraceImage): unknown[] {
  const entry = [name, role, bytes.length];
  return outsidePath === undefined ? entry : [...entry, imageHash(bytes), outsidePath];
}

/** The SHA-256 by which an image that is outside is known. */
export function imageHash(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

/**
 * Reads the payload of the header chunk. Keys that it doesn't know are left alone.
 * @param version of the trace's format.
 * @throws Malformed
 */
export function decodeHeader(payload: Uint8Array, version: number): TraceHeader {
  const header = asMap(unpackValue(payload), 'the header');
  const machine = asMap(header.get('machine'), 'machine');
  const cmdline = machine.get('cmdline');
  const cpu = machine.get('cpu');
  const cpuVendor = machine.get('cpuVendor');
  const images = header.get('images');
  const loadAddress = header.get('loadAddress');
  if (!Array.isArray(images) || images.length > IMAGES_MOST) {
    throw unexpected(`images: an array of at most ${IMAGES_MOST}`, images);
  }
  return {
    holdoffVersion: asText(header.get('holdoff'), 'holdoff'),
    machine: {
      memoryBytes: asInteger(machine.get('memoryBytes'), 2 ** 32, 'memoryBytes'),
      clock: asOneOf(CLOCKS, machine.get('clock'), 'clock'),
      seed: asInteger(machine.get('seed'), Number.MAX_SAFE_INTEGER, 'seed'),
      cmdline: cmdline === null ? null : asText(cmdline, 'cmdline'),
      ...(machine.get('apic') === true ? { apic: true } : {}),
      ...(cpu === undefined ? {} : { cpu: asLevel(cpu) }),
      ...(cpuVendor === undefined
        ? {}
        : { cpuVendor: asOneOf(CPU_VENDORS, cpuVendor, 'cpuVendor') }),
      ...vmiOf(machine),
    },
    images: images.map((image) => asImage(image, version >= VERSION_OUTSIDE)),
    loadAddress: loadAddress === null ? null : asInteger(loadAddress, 0xffffffff, 'loadAddress'),
  };
}

function asImage(value: unknown, mayBeOutside: boolean): ImageEntry {
  if (!Array.isArray(value) || value.length < 3)
    throw unexpected('an image: [name, role, bytes]', value);
  const [name, role, byteLength, sha256, path] = value as unknown[];
  return {
    name: asText(name, 'the name of an image'),
    role: asOneOf(ROLES, role, 'the role of an image'),
    byteLength: asInteger(byteLength, IMAGE_BYTES_MOST, 'the bytes of an image'),
    ...(mayBeOutside && sha256 !== undefined
      ? { outside: { path: asText(path, 'the path of an image'), sha256: asSha256(sha256) } }
      : {}),
  };
}

function asSha256(value: unknown): string {
  if (value instanceof Uint8Array && value.length === SHA256_BYTES) return asHex(value);
  throw unexpected(`the SHA-256 of an image: ${SHA256_BYTES} bytes`, value);
}

function asMap(value: unknown, what: string): ReadonlyMap<unknown, unknown> {
  if (value instanceof Map) return value;
  throw unexpected(`${what}: a map`, value);
}

function asText(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw unexpected(`${what}: text`, value);
}

function asInteger(value: unknown, most: number, what: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most)
    return value;
  throw unexpected(`${what}: a whole number from 0 to ${most}`, value);
}

function asOneOf<T extends string>(choices: readonly T[], value: unknown, what: string): T {
  const choice = choices.find((each) => each === value);
  if (choice !== undefined) return choice;
  const kind = typeof value === 'string' ? 'unsupported' : 'corrupt';
  throw unexpected(`${what}: one of ${choices.join(', ')}`, value, kind);
}

function vmiOf(machine: ReadonlyMap<unknown, unknown>): Pick<RecordedMachine, 'vmi' | 'vmiIret'> {
  const vmi = machine.get('vmi');
  if (vmi === undefined) return {};
  return {
    vmi: asOneOf(VMI_DIALECTS, vmi, 'vmi'),
    vmiIret: asOneOf(IRET_SCHEMES, machine.get('vmiIret'), 'vmiIret'),
  };
}

function asLevel(value: unknown): CpuLevel {
  const level = CPU_LEVELS.find((each) => each === value);
  if (level !== undefined) return level;
  throw unexpected(`cpu: one of ${CPU_LEVELS.join(', ')}`, value, 'unsupported');
}

/** Header values have no offset of their own: the message names the field. */
function unexpected(expected: string, value: unknown, kind: MalformedKind = 'corrupt'): Malformed {
  return new Malformed(0, expected, describeValue(value), kind);
}
