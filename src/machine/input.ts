/** Everything nondeterministic that can reach the machine. There is no other way in. */

/**
 * `tsc`: cycles; `pit`: ticks of 1193182 Hz since reset; `rtc`: Unix seconds; `apic`: ticks of the bus clock
 * of 100 MHz since reset. Whole numbers below 2^53.
 */
export type ClockSource = 'tsc' | 'pit' | 'rtc' | 'apic';

// Lines 0 to 15 are those of the 8259s. What the local APIC requests by itself has numbers beyond them.

/** The local APIC's timer. */
export const LINE_APIC_TIMER = 16;
/** A hypervisor's alarms, one for each counter that it has them on: see `Machine.addTimer`. */
export const LINE_ALARM = 17;
export const ALARMS = 2;
/**
 * Plus the vector: anything else of the local APIC's own, such as interrupts that the processor sends to
 * itself, errors, and spurious ones.
 */
export const LINE_APIC_VECTOR = 256;
/** All lines are below this. */
export const LINES = 512;

/** The line is that of an alarm: no controller's, and never taken by itself. */
export function isAlarmLine(line: number): boolean {
  return line >= LINE_ALARM && line < LINE_ALARM + ALARMS;
}

/** A line in words: `IRQ 4`, `APIC timer`, `APIC vector 0x41`. */
export function describeLine(line: number): string {
  if (line === LINE_APIC_TIMER) return 'APIC timer';
  if (isAlarmLine(line)) return `alarm ${line - LINE_ALARM}`;
  if (line < LINE_APIC_VECTOR) return `IRQ ${line}`;
  return `APIC vector 0x${(line - LINE_APIC_VECTOR).toString(16)}`;
}

/** One input, as `Machine.inject` takes it. */
export type MachineInput =
  /**
   * An edge of a timer: PIT channel 0 on line 0, RTC periodic on line 8, the APIC's on LINE_APIC_TIMER,
   * those of `Machine.addTimer` on theirs; other lines below 16: a bare pulse.
   */
  | { readonly kind: 'irq'; readonly line: number }
  | { readonly kind: 'nmi' }
  | { readonly kind: 'exception'; readonly vector: number; readonly errorCode: number | null }
  /** The answer to `Machine.requestClock`. */
  | { readonly kind: 'clock'; readonly source: ClockSource; readonly value: number }
  /** A byte arrives at COM1. */
  | { readonly kind: 'serial'; readonly byte: number };
