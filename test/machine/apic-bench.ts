/** A local APIC on its own, its registers at hand and its wires listened to. */
import { Apic } from '../../src/machine/apic.js';

export const ID = 0x20;
export const TPR = 0x80;
export const PPR = 0xa0;
export const EOI = 0xb0;
export const LDR = 0xd0;
export const DFR = 0xe0;
export const SVR = 0xf0;
export const ISR = 0x100;
export const TMR = 0x180;
export const IRR = 0x200;
export const ESR = 0x280;
export const ICR = 0x300;
export const ICR_HIGH = 0x310;
export const LVT_TIMER = 0x320;
export const LVT_LINT0 = 0x350;
export const LVT_LINT1 = 0x360;
export const LVT_ERROR = 0x370;
export const INITIAL_COUNT = 0x380;
export const CURRENT_COUNT = 0x390;
export const DIVIDE = 0x3e0;

export const MASKED = 0x10000;
export const PERIODIC = 0x20000;
export const TO_SELF = 0x40000;

/** Bits of MSR 1Bh at its reset address. */
export const BASE_ON = 0xfee00900 | 0;
export const BASE_OFF = 0xfee00100 | 0;

export class ApicBench {
  /** What the clock shows. */
  now = 0;
  /** How often it was read. */
  reads = 0;
  pin = false;
  nmis = 0;
  inits = 0;
  /** Lines of the requests so far. */
  readonly requests: number[] = [];
  readonly apic: Apic;

  constructor() {
    this.apic = new Apic(() => {
      this.reads += 1;
      return this.now;
    });
    this.apic.onInterruptPin = (level) => {
      this.pin = level;
    };
    this.apic.onNmi = () => {
      this.nmis += 1;
    };
    this.apic.onInit = () => {
      this.inits += 1;
    };
    this.apic.onRequest = (line) => this.requests.push(line);
  }

  /** A register's value, unsigned. */
  get(register: number): number {
    return this.apic.read(register, 4) >>> 0;
  }

  set(register: number, value: number): void {
    this.apic.write(register, 4, value | 0);
  }

  /** Has the processor send itself a vector. */
  request(vector: number): void {
    this.set(ICR, TO_SELF | vector);
  }

  /** The vectors that the processor gets while it ends each at once; -1 for one of the 8259s. */
  takeAll(): number[] {
    const taken: number[] = [];
    while (this.pin && taken.length < 300) {
      const vector = this.apic.acknowledge();
      taken.push(vector);
      if (vector < 0) this.apic.setLint0(false);
      else this.set(EOI, 0);
    }
    return taken;
  }

  /** The vectors whose bits are set in ISR, TMR or IRR. */
  vectors(first: typeof ISR | typeof TMR | typeof IRR): number[] {
    const bits = Array.from({ length: 256 }, (_, vector) => vector);
    return bits.filter((vector) => (this.get(first + ((vector >> 5) << 4)) >>> (vector & 31)) & 1);
  }
}
