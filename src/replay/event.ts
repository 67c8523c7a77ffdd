/**
 * What a trace is made of: everything that reached the guest from outside, and enough of what followed
 * from it to see at once where a replay leaves the recorded past.
 *
 * Inputs (`irq` with `isInput`, `nmi`, `exception`, `clock`, `serial`) are injected again by a replay.
 * Checks (`irq` without `isInput`, `accept`, `shim`, `digest`, `end`) are compared with what it did.
 */
import type { ClockSource } from '../machine/input.js';
import type { Instant } from './instant.js';
import type { Outcome } from './outcome.js';

export type { Outcome } from './outcome.js';

/** An interrupt line rose at an input of the 8259s, or the local APIC requested an interrupt. */
export interface IrqEvent {
  readonly kind: 'irq';
  readonly at: Instant;
  /** 0 to 15 at the 8259s; of the local APIC's own see src/machine/input.ts. */
  readonly line: number;
  /** False where a device raised it deterministically: logged as a check, not injected. */
  readonly isInput: boolean;
}

/** The processor takes an interrupt: the boundary just before its delivery. */
export interface AcceptEvent {
  readonly kind: 'accept';
  readonly at: Instant;
  /** 0 to 255. */
  readonly vector: number;
  /** As that of an `irq` event; 7 or 15 of an interrupt that is spurious to an 8259. */
  readonly line: number;
  /** 0 to 3, of the interrupted code, as are EIP (signed 32 bits) and the shadow (SHADOW_*). */
  readonly cpl: number;
  readonly eip: number;
  readonly shadow: number;
}

/** A non-maskable interrupt from outside. */
export interface NmiEvent {
  readonly kind: 'nmi';
  readonly at: Instant;
}

/** An exception injected from outside; what the guest's own code raises is no event. */
export interface ExceptionEvent {
  readonly kind: 'exception';
  readonly at: Instant;
  /** 0 to 255. */
  readonly vector: number;
  /** Signed 32 bits; null where none is pushed. */
  readonly errorCode: number | null;
}

/** A value that the guest's devices read from a clock. */
export interface ClockEvent {
  readonly kind: 'clock';
  readonly at: Instant;
  readonly source: ClockSource;
  /** 0 to 2^53 - 1, in the unit of the source. */
  readonly value: number;
}

/** A byte, 0 to 255, arrived at the serial port. */
export interface SerialEvent {
  readonly kind: 'serial';
  readonly at: Instant;
  readonly byte: number;
}

/** A paravirtual call, answered by the hypervisor. */
export interface ShimEvent {
  readonly kind: 'shim';
  readonly at: Instant;
  /** Number of the call, 0 to 2^32 - 1. */
  readonly call: number;
  /** Linear address of the place in the guest that called, signed 32 bits. */
  readonly site: number;
  /** At most `SHIM_ARGS_MOST` whole numbers from -(2^31) to 2^32 - 1. */
  readonly args: readonly number[];
  /** A whole number in the same range; null where the call gives none. */
  readonly result: number | null;
}

/** The digest of the machine's whole state at that instant. */
export interface DigestEvent {
  readonly kind: 'digest';
  readonly at: Instant;
  /** Bytes in lower-case hexadecimal, at most `DIGEST_BYTES_MOST` of them. */
  readonly digest: string;
}

/** The last event of a whole trace. */
export interface EndEvent {
  readonly kind: 'end';
  readonly at: Instant;
  readonly outcome: Outcome;
  readonly digest: string;
}

/** One entry of a trace. Events are ordered by instant; at one instant, by their place in the trace. */
export type TraceEvent =
  | IrqEvent
  | AcceptEvent
  | NmiEvent
  | ExceptionEvent
  | ClockEvent
  | SerialEvent
  | ShimEvent
  | DigestEvent
  | EndEvent;

/** Any event but the end. */
export type BodyEvent = Exclude<TraceEvent, EndEvent>;

/** The most arguments of a shim event. */
export const SHIM_ARGS_MOST = 64;
/** The most bytes of a digest. */
export const DIGEST_BYTES_MOST = 64;

/** The kinds that are counted, in the order in which a trace holds their counts. */
export const COUNTED_KINDS = [
  'irq',
  'accept',
  'nmi',
  'exception',
  'clock',
  'serial',
  'shim',
  'digest',
] as const satisfies readonly BodyEvent['kind'][];

/** How many events of each kind a trace holds. */
export type EventCounts = Record<BodyEvent['kind'], number>;

/** All zero. */
export function noEvents(): EventCounts {
  return { irq: 0, accept: 0, nmi: 0, exception: 0, clock: 0, serial: 0, shim: 0, digest: 0 };
}
