/** What a processor is wired to. The machine implements these; the CPU knows no device. */

export type AccessSize = 1 | 2 | 4;

/** I/O ports, the interrupt controller's INTA cycle and the time-stamp counter. */
export interface CpuBus {
  /** Reads a port; unclaimed ones read all ones. The value is zero-extended to `size` bytes. */
  readPort(port: number, size: AccessSize): number;
  writePort(port: number, size: AccessSize, value: number): void;
  /** Runs the INTA cycle: the vector of the interrupt that is taken now (0 to 255). */
  acknowledgeInterrupt(): number;
  /** The local APIC on the processor's chip; null or absent where it has none. */
  readonly localApic?: LocalApicMsr | null;
  /** The time-stamp counter before TSC_OFFSET is added, a whole number below 2^53. */
  readTimestamp(): number;
  /** Level of FERR#: an unmasked x87 exception waits, and CR0.NE is clear. A PC has it raise IRQ 13. */
  setNumericError?(level: boolean): void;
  /** Level of IGNNE#: such an exception doesn't hold up x87 instructions. Where absent, it does. */
  isNumericErrorIgnored?(): boolean;
}

/** What of a local APIC is no memory: MSR 1Bh, IA32_APIC_BASE, and whether CPUID tells of it. */
export interface LocalApicMsr {
  /** Bit 11 of the MSR. */
  readonly isEnabled: boolean;
  /** The MSR's bits 0 to 31, signed, and 32 to 63. */
  readonly baseLow: number;
  readonly baseHigh: number;
  /** Writes the MSR. @returns false, and nothing has changed, where reserved bits are set. */
  writeBase(low: number, high: number): boolean;
}

/** Physical addresses outside RAM, and pages of RAM that were handed over to a device. */
export interface Mmio {
  read(physical: number, size: AccessSize): number;
  write(physical: number, size: AccessSize, value: number): void;
}
