/**
 * The Multiboot 1 header: how a kernel says that it wants to be started this way, and what it needs.
 *
 * Multiboot Specification version 0.6.96, "OS image format".
 */
import { hex, type Image, ImageReader } from './image-bytes.js';

const HEADER_MAGIC = 0x1badb002;
/** The header lies in the first 8192 bytes, all of it, at a multiple of 4. */
const SEARCH_BYTES = 8192;

const FLAG_VIDEO_MODE = 1 << 2;
const FLAG_ADDRESSES = 1 << 16;
/** Page-aligned modules, a memory map, a video mode: the features that a kernel may insist on. */
const FLAGS_KNOWN = 0x7;
/** A loader that doesn't know one of these must refuse the image. */
const FLAGS_MANDATORY = 0xffff;

/** Bytes of the header by the fields that its flags say are valid. */
const BYTES_BASIC = 12;
const BYTES_ADDRESSES = 32;
const BYTES_VIDEO_MODE = 48;

/** Where to load an image that is no ELF file (or doesn't want to be loaded as one): the "a.out kludge". */
export interface LoadAddresses {
  /** Physical address that corresponds to the header's place in the file. */
  readonly header: number;
  readonly load: number;
  /** End of text and data; 0: to the end of the file. */
  readonly loadEnd: number;
  /** End of the zeroed memory behind; 0: there is none. */
  readonly bssEnd: number;
  readonly entry: number;
}

export interface MultibootHeader {
  /** Offset in the file. */
  readonly offset: number;
  readonly wantsVideoMode: boolean;
  readonly addresses: LoadAddresses | null;
}

/**
 * Finds the header, or null where the image has none.
 * @throws UserError when the kernel insists on a feature that the specification does not define.
 */
export function findMultibootHeader(image: Image): MultibootHeader | null {
  const file = new ImageReader(image);
  const end = Math.min(SEARCH_BYTES, file.length);
  const what = 'Multiboot header';
  for (let offset = 0; offset + BYTES_BASIC <= end; offset += 4) {
    if (file.u32(offset, what) !== HEADER_MAGIC) continue;
    const flags = file.u32(offset + 4, what);
    if (((HEADER_MAGIC + flags + file.u32(offset + 8, what)) | 0) !== 0) continue;
    const hasAddresses = (flags & FLAG_ADDRESSES) !== 0;
    const wantsVideoMode = (flags & FLAG_VIDEO_MODE) !== 0;
    const length = wantsVideoMode ? BYTES_VIDEO_MODE : hasAddresses ? BYTES_ADDRESSES : BYTES_BASIC;
    if (offset + length > end) continue;
    const unknown = flags & FLAGS_MANDATORY & ~FLAGS_KNOWN;
    if (unknown !== 0) {
      file.fail(
        `${what} at offset ${offset} insists on features ${hex(unknown)}, which Multiboot 1 doesn't define; clear these flags`,
      );
    }
    return { offset, wantsVideoMode, addresses: hasAddresses ? readAddresses(file, offset) : null };
  }
  return null;
}

function readAddresses(file: ImageReader, offset: number): LoadAddresses {
  const what = 'Multiboot header';
  return {
    header: file.u32(offset + 12, what),
    load: file.u32(offset + 16, what),
    loadEnd: file.u32(offset + 20, what),
    bssEnd: file.u32(offset + 24, what),
    entry: file.u32(offset + 28, what),
  };
}
