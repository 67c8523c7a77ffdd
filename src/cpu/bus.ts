/** What a processor is wired to. The machine implements these; the CPU knows no device. */

export type AccessSize = 1 | 2 | 4;

/** I/O ports, the interrupt controller's INTA cycle and the time-stamp counter. */
export interface CpuBus {
  /** Reads a port; unclaimed ones read all ones. The value is zero-extended to `size` bytes. */
  readPort(port: number, size: AccessSize): number;
  writePort(port: number, size: AccessSize, value: number): void;
  /** Runs the INTA cycle: the vector of the interrupt that is taken now (0 to 255). */
  acknowledgeInterrupt(): number;
  /** The time-stamp counter before TSC_OFFSET is added, a whole number below 2^53. */
  readTimestamp(): number;
}

/** Physical addresses outside RAM, and pages of RAM that were handed over to a device. */
export interface Mmio {
  read(physical: number, size: AccessSize): number;
  write(physical: number, size: AccessSize, value: number): void;
}
