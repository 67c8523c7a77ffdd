/**
 * The units of guest time. Nanoseconds since reset are the common one; all conversions are exact on
 * whole numbers up to 2^53 (104 days), so that every host gets the same result.
 */
import { APIC_HZ } from '../../machine/apic-timer.js';
import { PIT_HZ } from '../../machine/pit8254.js';

export const NANOSECONDS_PER_SECOND = 1_000_000_000;
/** One tick of the local APIC's clock: a whole number. */
export const NANOSECONDS_PER_APIC_TICK = NANOSECONDS_PER_SECOND / APIC_HZ;
/** What the RTC of a virtual or random clock shows at reset: 2006-03-08 00:00:00 UTC. */
export const VIRTUAL_EPOCH_SECONDS = 1_141_776_000;

/** The 8254's ticks since reset at a time: floor(nanoseconds * PIT_HZ / 10^9). */
export function pitTicksAt(nanoseconds: number): number {
  // Split at the second: the product of what is left stays below 2^53.
  const rest = nanoseconds % NANOSECONDS_PER_SECOND;
  const seconds = (nanoseconds - rest) / NANOSECONDS_PER_SECOND;
  const product = rest * PIT_HZ;
  return seconds * PIT_HZ + (product - (product % NANOSECONDS_PER_SECOND)) / NANOSECONDS_PER_SECOND;
}

/** The first nanosecond at which the 8254 has counted that many ticks; Infinity for Infinity. */
export function nanosecondsOfPitTick(ticks: number): number {
  if (ticks === Number.POSITIVE_INFINITY) return ticks;
  const rest = ticks % PIT_HZ;
  const seconds = (ticks - rest) / PIT_HZ;
  const product = rest * NANOSECONDS_PER_SECOND;
  const remainder = product % PIT_HZ;
  const floor = (product - remainder) / PIT_HZ;
  return seconds * NANOSECONDS_PER_SECOND + floor + (remainder === 0 ? 0 : 1);
}

/** The ticks of the local APIC's clock since reset at a time. */
export function apicTicksAt(nanoseconds: number): number {
  return (nanoseconds - (nanoseconds % NANOSECONDS_PER_APIC_TICK)) / NANOSECONDS_PER_APIC_TICK;
}

/** Whole seconds in a time. */
export function secondsAt(nanoseconds: number): number {
  return (nanoseconds - (nanoseconds % NANOSECONDS_PER_SECOND)) / NANOSECONDS_PER_SECOND;
}
