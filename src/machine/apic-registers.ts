/** Offsets and bits of a local APIC's registers. Intel SDM vol. 3A §10.4 to §10.8. */

export const ID = 0x020;
export const VERSION = 0x030;
export const TPR = 0x080;
/** Arbitration priority and remote read: of the bus before xAPIC, 0 here. */
export const APR = 0x090;
export const PPR = 0x0a0;
export const EOI = 0x0b0;
export const RRD = 0x0c0;
export const LDR = 0x0d0;
export const DFR = 0x0e0;
export const SVR = 0x0f0;
/** ISR, TMR and IRR have eight registers each. */
export const ISR_FIRST = 0x100;
export const TMR_FIRST = 0x180;
export const IRR_FIRST = 0x200;
export const IRR_END = 0x280;
export const ESR = 0x280;
export const ICR_LOW = 0x300;
export const ICR_HIGH = 0x310;
/** The local vector table. */
export const LVT_TIMER = 0x320;
export const LVT_THERMAL = 0x330;
export const LVT_PERFORMANCE = 0x340;
export const LVT_LINT0 = 0x350;
export const LVT_LINT1 = 0x360;
export const LVT_ERROR = 0x370;
export const INITIAL_COUNT = 0x380;
export const CURRENT_COUNT = 0x390;
export const DIVIDE = 0x3e0;
/** The registers are at the multiples of 16 below this; the rest of the page is reserved. */
export const REGISTERS_END = 0x400;

/** The local vector table, in the order of the registers. */
export const LVT: readonly number[] = [
  LVT_TIMER,
  LVT_THERMAL,
  LVT_PERFORMANCE,
  LVT_LINT0,
  LVT_LINT1,
  LVT_ERROR,
];

export const LVT_VECTOR = 0xff;
/** Timer: reloads its count when it has come to 0. */
export const LVT_PERIODIC = 1 << 17;
export const LVT_MASKED = 1 << 16;
/** LINT0 and LINT1: a level, and not an edge. */
export const LVT_LEVEL = 1 << 15;
/** A level was accepted and its service not ended yet. Read-only. */
export const LVT_REMOTE_IRR = 1 << 14;
const LVT_POLARITY = 1 << 13;
const LVT_MODE = 7 << 8;

/** Delivery modes: bits 8 to 10 of the ICR and of the local vector table. */
export const MODE_FIXED = 0;
export const MODE_LOWEST_PRIORITY = 1;
export const MODE_NMI = 4;
export const MODE_INIT = 5;
export const MODE_EXTINT = 7;

/** The delivery mode in a register of the local vector table, or in the ICR. */
export function deliveryMode(register: number): number {
  return (register >>> 8) & 7;
}

/** SVR: the APIC is enabled by software. */
export const SVR_ENABLED = 1 << 8;

/** ICR, low half. */
export const ICR_LOGICAL = 1 << 11;
export const ICR_ASSERT = 1 << 14;
export const ICR_LEVEL = 1 << 15;
export const SHORTHAND_NONE = 0;
export const SHORTHAND_OTHERS = 3;

/** Fields of eight bits at the top of ID, LDR and the ICR's high half. */
const TOP_BYTE = 0xff << 24;
/** DFR: the model in bits 28 to 31, all others ones. */
export const DFR_FLAT = 0xffffffff | 0;
export const DFR_RESERVED = 0x0fffffff;
const PIN_BITS = LVT_VECTOR | LVT_MODE | LVT_POLARITY | LVT_LEVEL | LVT_MASKED;

/**
 * The registers that keep what software writes, and the bits that it can write. Delivery status (bit 12
 * of ICR and table) is none of them: it always reads idle.
 */
export const WRITABLE: ReadonlyMap<number, number> = new Map([
  [ID, TOP_BYTE],
  [LDR, TOP_BYTE],
  [DFR, ~DFR_RESERVED],
  [SVR, 0x3ff],
  [ICR_LOW, 0xccfff],
  [ICR_HIGH, TOP_BYTE],
  [LVT_TIMER, LVT_VECTOR | LVT_MASKED | LVT_PERIODIC],
  [LVT_THERMAL, LVT_VECTOR | LVT_MODE | LVT_MASKED],
  [LVT_PERFORMANCE, LVT_VECTOR | LVT_MODE | LVT_MASKED],
  [LVT_LINT0, PIN_BITS],
  [LVT_LINT1, PIN_BITS],
  [LVT_ERROR, LVT_VECTOR | LVT_MASKED],
  [DIVIDE, 0xb],
]);

/** The others that exist, IRR, ISR and TMR apart. */
export const SPECIAL: ReadonlySet<number> = new Set([
  VERSION,
  TPR,
  APR,
  PPR,
  EOI,
  RRD,
  ESR,
  INITIAL_COUNT,
  CURRENT_COUNT,
]);

export const ERROR_SEND_ILLEGAL_VECTOR = 1 << 5;
export const ERROR_RECEIVE_ILLEGAL_VECTOR = 1 << 6;
export const ERROR_ILLEGAL_REGISTER = 1 << 7;

/** As firmware leaves it: all is off but interrupts of the 8259s and NMI. MP specification §3.6.2.2. */
export const VIRTUAL_WIRE_SVR = SVR_ENABLED | 0xff;
export const VIRTUAL_WIRE_LINT0 = MODE_EXTINT << 8;
export const VIRTUAL_WIRE_LINT1 = MODE_NMI << 8;
