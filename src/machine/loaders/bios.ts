/** ROM images: what the processor starts with after a reset, in real mode at F000:FFF0. */
import type { Machine } from '../machine.js';
import { SymbolTable } from '../symbols.js';
import type { LoadedImage } from './image.js';
import { type Image, ImageReader } from './image-bytes.js';

const PAGE_BYTES = 4096;
const ROM_BYTES_MOST = 16 << 20;
/** Physical address of the first instruction after a reset. */
const RESET_VECTOR = 0xfffffff0;

/**
 * Resets the machine and puts the image where a PC has its BIOS: its end at 4 GiB, and its last 128 KiB
 * below 1 MiB too. The processor, and the local APIC where there is one, are as they come out of a reset;
 * the other chips are as firmware leaves them for a kernel, which firmware cannot tell since it sets them
 * up anyway.
 * @throws UserError where no ROM has such a size.
 */
export function loadBios(machine: Machine, image: Image): LoadedImage {
  const { length } = image.bytes;
  if (length === 0 || length % PAGE_BYTES !== 0 || length > ROM_BYTES_MOST) {
    new ImageReader(image).fail(
      `${length} bytes are no size of a ROM; give a multiple of 4 KiB up to 16 MiB, with the reset vector 16 bytes before its end`,
    );
  }
  machine.reset();
  machine.apic?.powerUp();
  machine.loadBios(image.bytes);
  return { kind: 'bios', entry: RESET_VECTOR, symbols: SymbolTable.empty };
}
