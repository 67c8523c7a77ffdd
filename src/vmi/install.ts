/** From an image that was loaded to a guest under the hypervisor. */
import { ElfFile, isElf } from '../machine/loaders/elf.js';
import type { Image, LoadedImage } from '../machine/loaders/image.js';
import type { Machine } from '../machine/machine.js';
import { UserError } from '../machine/user-error.js';
import { readAnnotations, type Site } from './annotations.js';
import { Hypervisor } from './hypervisor.js';
import type { IretScheme } from './iret-stubs.js';

/** The symbols between which the annotation table lies. */
const TABLE_FIRST = '__vmi_annotation';
const TABLE_END = '__vmi_annotation_end';

/**
 * Puts a hypervisor of the 2006 dialect under a guest: checks its annotations, patches its sites, and
 * lowers its kernel to CPL 1.
 * @param machine as `loadImage` has left it.
 * @throws UserError where the image has no annotations, or bad ones; then nothing is changed.
 */
export function installInline(
  machine: Machine,
  image: Image,
  loaded: LoadedImage,
  scheme: IretScheme,
): Hypervisor {
  return new Hypervisor(machine, { scheme, sites: annotatedSites(machine, image, loaded) });
}

function annotatedSites(machine: Machine, image: Image, loaded: LoadedImage): Site[] {
  const first = loaded.symbols.address(TABLE_FIRST);
  const end = loaded.symbols.address(TABLE_END);
  if (first === null || end === null || !isElf(image)) {
    throw new UserError(
      `${image.name} has no annotation table (symbols ${TABLE_FIRST} and ${TABLE_END}); leave out --vmi inline`,
    );
  }
  const segments = new ElfFile(image).segments.map(({ physicalAddress, memoryBytes }) => ({
    first: physicalAddress,
    end: physicalAddress + memoryBytes,
  }));
  return readAnnotations(image.name, machine.cpu.core.physical.ram, { first, end, segments });
}
