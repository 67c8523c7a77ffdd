/** The i386: state, memory, instructions and the loop that runs them. */
export type { AccessSize, CpuBus, Mmio } from './bus.js';
export type { Core } from './core.js';
export { Cpu, type CpuOptions, type DeliveryObserver, type RunExit } from './cpu.js';
export type { EngineKind } from './engine/engine.js';
export type { AccessKind, AccessWatch } from './mmu.js';
export { CPU_LEVELS, CPU_VENDORS, type CpuLevel, type CpuVendor } from './model.js';
export type { PhysicalMemory } from './physical-memory.js';
export type { SegmentIndex, State } from './state.js';
