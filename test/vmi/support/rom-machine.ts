/** guest/rom-caller on a machine with the VMI ROM. */
import { readFileSync } from 'node:fs';
import { type LoadedImage, loadImage } from '../../../src/machine/loaders/image.js';
import { Machine } from '../../../src/machine/machine.js';
import type { Hypervisor } from '../../../src/vmi/hypervisor.js';
import { installRom } from '../../../src/vmi/rom/install-rom.js';
import type { IretScheme } from '../../../src/vmi/stubs.js';

function image(path: string): { name: string; bytes: Uint8Array } {
  return { name: path, bytes: readFileSync(new URL(`../../../guest/${path}`, import.meta.url)) };
}

export const ROM_IMAGE = image('vmi-rom/vmi-rom.bin');
export const CALLER_IMAGE = image('rom-caller/rom-caller.elf');

export interface RomMachine {
  readonly machine: Machine;
  readonly hypervisor: Hypervisor;
  readonly loaded: LoadedImage;
  /** What the hypervisor has said of calls that it could not serve. */
  readonly reports: readonly string[];
}

/** The guest loaded, with the ROM in place, at instant 0. */
export function romMachine(scheme: IretScheme = 'rollforward', apic = false): RomMachine {
  const machine = new Machine({ memoryBytes: 4 << 20, apic, engine: 'interpreter' });
  const loaded = loadImage(machine, CALLER_IMAGE, {});
  const reports: string[] = [];
  const hypervisor = installRom(machine, ROM_IMAGE, scheme, (text) => reports.push(text));
  return { machine, hypervisor, loaded, reports };
}
