/** Flat binaries: bytes without a header, loaded and entered at one physical address. */
import type { Machine } from '../machine.js';
import { type Image, ImageReader } from './image-bytes.js';
import { MemoryPlan } from './memory-plan.js';
import { enterProtectedMode } from './protected-start.js';

const STACK_BYTES = 4096;
const STACK_LOWEST = 0x10000;

/**
 * Loads the file at `address` and sets the processor there, in flat 32-bit protected mode with EAX and
 * EBX zero.
 * @throws UserError when it doesn't fit into RAM.
 */
export function loadFlat(machine: Machine, image: Image, address: number): number {
  if (image.bytes.length === 0) new ImageReader(image).fail('is empty; there is nothing to run');
  const plan = new MemoryPlan(machine, image.name);
  plan.take(address, image.bytes.length, 'flat binary');
  machine.cpu.core.physical.load(address, image.bytes);
  const stack = plan.place(STACK_BYTES, 16, 'a stack', STACK_LOWEST) + STACK_BYTES;
  enterProtectedMode(machine, { entry: address, stack, eax: 0, ebx: 0 });
  return address;
}
