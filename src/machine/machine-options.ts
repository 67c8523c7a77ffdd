/** What a machine is built from. A trace carries it. */
import type { EngineKind } from '../cpu/engine/engine.js';
import type { CpuLevel, CpuVendor } from '../cpu/model.js';
import { UserError } from './user-error.js';

/** The processor of a machine of which nothing else is said. */
export const DEFAULT_CPU: CpuLevel = 686;

/** What can be chosen about the machine itself. */
export interface MachineOptions {
  /** RAM in bytes: a multiple of 4096, from 1 MiB to 2 GiB. */
  readonly memoryBytes: number;
  /** The processor has a local APIC. False where absent. */
  readonly apic?: boolean;
  /** Which processor there is. `DEFAULT_CPU` where absent. */
  readonly cpu?: CpuLevel;
  /** Whose processor it is. Intel's where absent. */
  readonly cpuVendor?: CpuVendor;
  /** How instructions are executed; no guest can tell, and no trace holds it. `auto` where absent. */
  readonly engine?: EngineKind;
  /** Entries after which a block is compiled; unseen by the guest too. The engine's own where absent. */
  readonly hotEntries?: number;
}

const MIB = 1 << 20;
const MEMORY_LEAST = MIB;
const MEMORY_MOST = 2048 * MIB;

/** Fails on options that no machine can have. @throws UserError saying which. */
export function checkMachineOptions(options: MachineOptions): void {
  const { memoryBytes } = options;
  const isPossible =
    Number.isInteger(memoryBytes) &&
    memoryBytes % 4096 === 0 &&
    memoryBytes >= MEMORY_LEAST &&
    memoryBytes <= MEMORY_MOST;
  if (!isPossible) {
    throw new UserError(
      `memory of ${memoryBytes} bytes: give --memory a multiple of 4K between 1M and 2G`,
    );
  }
}

/** A number of bytes as one would give it to --memory: `64 MiB`, `1028 KiB`. */
export function formatMemory(bytes: number): string {
  return bytes % MIB === 0 ? `${bytes / MIB} MiB` : `${Math.ceil(bytes / 1024)} KiB`;
}
