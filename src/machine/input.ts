/** Everything nondeterministic that can reach the machine. There is no other way in. */

/** `tsc`: cycles; `pit`: ticks of 1193182 Hz since reset; `rtc`: Unix seconds. Whole numbers below 2^53. */
export type ClockSource = 'tsc' | 'pit' | 'rtc';

/** One input, as `Machine.inject` takes it. */
export type MachineInput =
  /** An edge of a timer: PIT channel 0 on line 0, RTC periodic on line 8; other lines: a bare pulse. */
  | { readonly kind: 'irq'; readonly line: number }
  | { readonly kind: 'nmi' }
  | { readonly kind: 'exception'; readonly vector: number; readonly errorCode: number | null }
  /** The answer to `Machine.requestClock`. */
  | { readonly kind: 'clock'; readonly source: ClockSource; readonly value: number }
  /** A byte arrives at COM1. */
  | { readonly kind: 'serial'; readonly byte: number };
