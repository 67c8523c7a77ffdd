/** Puts the VMI ROM into a machine. */
import type { Image } from '../../machine/loaders/image.js';
import type { Machine } from '../../machine/machine.js';
import { Hypervisor } from '../hypervisor.js';
import type { IretScheme } from '../stubs.js';
import { type Report, RomDialect } from './rom-dialect.js';
import { parseRom } from './rom-image.js';

/**
 * Puts the ROM where a guest looks for it. The guest runs on bare hardware until it calls Init.
 * @param machine at instant 0, with the guest's image loaded.
 * @param report told of calls that can't be served, once of each.
 * @throws UserError where the ROM is none.
 */
export function installRom(
  machine: Machine,
  rom: Image,
  scheme: IretScheme,
  report: Report,
): Hypervisor {
  const dialect = new RomDialect(machine, parseRom(rom.name, rom.bytes), report);
  return new Hypervisor(machine, { scheme, sites: dialect });
}
