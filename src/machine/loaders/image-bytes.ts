/** An image file as loaders read it: little-endian fields at checked offsets. */
import { UserError } from '../user-error.js';

/** A file. */
export interface Image {
  /** As the user knows it, for messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Reads from an image and fails in the user's words where the file is too short. */
export class ImageReader {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(image: Image) {
    this.name = image.name;
    this.bytes = image.bytes;
    this.#view = new DataView(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** 16 bits, unsigned. @throws UserError beyond the end; `what` names the field's owner. */
  u16(offset: number, what: string): number {
    this.#check(offset, 2, what);
    return this.#view.getUint16(offset, true);
  }

  /** 32 bits, unsigned. @throws UserError beyond the end. */
  u32(offset: number, what: string): number {
    this.#check(offset, 4, what);
    return this.#view.getUint32(offset, true);
  }

  /** A part of the file, not copied. @throws UserError beyond the end. */
  slice(offset: number, length: number, what: string): Uint8Array {
    this.#check(offset, length, what);
    return this.bytes.subarray(offset, offset + length);
  }

  /** @throws UserError always: `name: what is wrong`. */
  fail(message: string): never {
    throw new UserError(`${this.name}: ${message}`);
  }

  #check(offset: number, length: number, what: string): void {
    if (offset + length > this.bytes.length) {
      this.fail(
        `${what}: needs ${length} bytes at offset ${offset}, but the file has ${this.bytes.length}; the image is cut off or broken`,
      );
    }
  }
}

/** `0x100000`, for messages. */
export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
