/** Flat binaries: bytes without a header, loaded and entered at one physical address. */
import { GDTR_BASE, GDTR_LIMIT } from '../../cpu/state-layout.js';
import type { Machine } from '../machine.js';
import { type Image, ImageReader } from './image-bytes.js';
import { MemoryPlan } from './memory-plan.js';
import { enterProtectedMode } from './protected-start.js';

const STACK_BYTES = 4096;
const STACK_LOWEST = 0x10000;
/** Where one is loaded that nobody gave an address: the first byte above 1 MiB. */
export const FLAT_ADDRESS = 0x100000;
/** The segments that `enterProtectedMode` sets, as descriptors: null, code at 8, data at 10h. */
const GDT = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0, 0],
  ...[0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0],
  ...[0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0],
);

/**
 * Loads the file at `address` and sets the processor there, in flat 32-bit protected mode with EAX and
 * EBX zero. A GDT with these segments lies outside of the file and the stack, so that a program of a few
 * lines can reload them, and take interrupts with no more than an IDT.
 * @throws UserError when it doesn't fit into RAM.
 */
export function loadFlat(machine: Machine, image: Image, address: number): number {
  if (image.bytes.length === 0) new ImageReader(image).fail('is empty; there is nothing to run');
  const plan = new MemoryPlan(machine, image.name);
  plan.take(address, image.bytes.length, 'flat binary');
  machine.cpu.core.physical.load(address, image.bytes);
  const stack = plan.place(STACK_BYTES, 16, 'a stack', STACK_LOWEST) + STACK_BYTES;
  const gdt = plan.place(GDT.length, 8, 'a descriptor table', STACK_LOWEST);
  const { physical, state } = machine.cpu.core;
  physical.load(gdt, GDT);
  enterProtectedMode(machine, { entry: address, stack, eax: 0, ebx: 0 });
  state.set(GDTR_BASE, gdt);
  state.set(GDTR_LIMIT, GDT.length - 1);
  return address;
}
