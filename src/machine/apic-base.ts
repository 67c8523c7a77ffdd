/**
 * MSR 1Bh, IA32_APIC_BASE: where the registers of the local APIC are, and whether there is one. Intel SDM
 * vol. 3A §10.4.4.
 *
 * Deviation: the bit that names the bootstrap processor ignores writes.
 */

/** Where the registers are after a reset. */
export const APIC_BASE = 0xfee00000;

const BOOTSTRAP = 1 << 8;
const ENABLED = 1 << 11;
/** Bits that must be zero, by halves of the MSR. Bit 10 would be x2APIC mode. */
const LOW_RESERVED = 0x6ff;
/** Physical addresses have 36 bits. */
const HIGH_RESERVED = ~0xf;

/** The register. */
export class ApicBase {
  /** Bits 12 to 31, unsigned, and 32 to 35. */
  #address = APIC_BASE;
  #high = 0;
  #isEnabled = true;

  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /** Bits 0 to 31, signed, and bits 32 to 63. */
  get low(): number {
    return this.#address | BOOTSTRAP | (this.#isEnabled ? ENABLED : 0);
  }
  get high(): number {
    return this.#high;
  }

  /** The physical address of the page of registers, unsigned; -1 where there is none below 4 GiB. */
  get window(): number {
    return this.#isEnabled && this.#high === 0 ? this.#address : -1;
  }

  /** False, and nothing has changed, where reserved bits are set. */
  write(low: number, high: number): boolean {
    if (low & LOW_RESERVED || high & HIGH_RESERVED) return false;
    this.#address = (low & ~0xfff) >>> 0;
    this.#high = high;
    this.#isEnabled = (low & ENABLED) !== 0;
    return true;
  }

  reset(): void {
    this.write(APIC_BASE | ENABLED, 0);
  }

  /** How many numbers `save` gives. */
  static readonly stateLength = 3;

  save(): number[] {
    return [this.#address, this.#high, Number(this.#isEnabled)];
  }

  restore(state: readonly number[]): void {
    [this.#address, this.#high] = state;
    this.#isEnabled = state[2] !== 0;
  }
}
