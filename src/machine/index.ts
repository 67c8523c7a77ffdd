/** The PC around the processor: chips, port bus, image loaders, and the machine that joins them. */

export { exitStatus } from './debug-exit.js';
export type { Device, ReadClock } from './device.js';
export { type ClockSource, LINE_APIC_TIMER, LINE_APIC_VECTOR, type MachineInput } from './input.js';
export { loadBios } from './loaders/bios.js';
export { type Image, type LoadedImage, type LoadImageOptions, loadImage } from './loaders/image.js';
export {
  Machine,
  type MachineExit,
  type MachineObserver,
  type MachineState,
  type PortWriteObserver,
} from './machine.js';
export { checkMachineOptions, type MachineOptions } from './machine-options.js';
export { PIT_HZ } from './pit8254.js';
export { SymbolTable } from './symbols.js';
export { UserError } from './user-error.js';
