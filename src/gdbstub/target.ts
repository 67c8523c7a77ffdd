/**
 * What the stub wants from whatever it serves. A member that is optional is a capability: where it is
 * missing, the packets that need it are unknown and `qSupported` does not announce them.
 *
 * Observation is free: nothing here but `write` members and `Motion` may change the target's state.
 */
import type { MonitorCommand } from './monitor/command.js';
import type { RegisterLayout } from './register-layout.js';

/** How memory is accessed where a watchpoint looks: `access` is either way. */
export type WatchAccess = 'read' | 'write' | 'access';

/** A range of linear addresses and the accesses to it that stop. */
export interface Watchpoint {
  /** Linear address, unsigned. */
  readonly address: number;
  /** Bytes, at least 1. */
  readonly length: number;
  readonly access: WatchAccess;
}

/** Where a motion stops before it has come to an end of the timeline. */
export interface StopConditions {
  /** Linear addresses, unsigned. Ignored by a single step. */
  readonly breakpoints: ReadonlySet<number>;
  readonly watchpoints: readonly Watchpoint[];
  /**
   * Asked at each breakpoint whether to stop at it; without it one stops at all. It looks at the target
   * and does not change it.
   */
  readonly isWanted?: (linear: number) => boolean;
  /** Deliveries that stop, by the signals that stand for them. */
  readonly signals?: ReadonlySet<number>;
}

/** Why a motion ended. */
export type TargetStop =
  /** The step is done. */
  | { readonly kind: 'step' }
  /** At a breakpoint, whose instruction has not run. */
  | { readonly kind: 'breakpoint'; readonly linear: number }
  /** After the access, or going backward after taking it back. */
  | { readonly kind: 'watchpoint'; readonly address: number; readonly access: WatchAccess }
  /** An interrupt or exception was delivered, for which this signal of gdb's stands. */
  | { readonly kind: 'signal'; readonly signal: number }
  /** Where the user asked to go. */
  | { readonly kind: 'arrived' }
  /** Nothing lies before this instant. */
  | { readonly kind: 'begin' }
  /** Nothing lies after this instant. */
  | { readonly kind: 'end' }
  /** Someone asked for the stop. */
  | { readonly kind: 'interrupted' }
  /** The target can't go on; a notice says why. */
  | { readonly kind: 'failed' };

/**
 * Movement in one direction of time. Both methods return a generator that works in slices of some
 * milliseconds; whoever drives it may `return()` it between slices and finds the target stopped at a
 * valid instant.
 */
export interface Motion {
  /** One instant. Watchpoints are honoured, breakpoints aren't. */
  step(stops: StopConditions): Generator<undefined, TargetStop>;
  /**
   * Up to the first stop. A breakpoint at the present pc stops a forward motion at once, and is
   * ignored by a backward one: what gdb counts on in both cases. At the end of the timeline the end is
   * reported, and not a breakpoint on what never runs.
   */
  continue(stops: StopConditions): Generator<undefined, TargetStop>;
}

/** The register file. */
export interface RegisterAccess {
  readonly layout: RegisterLayout;
  /** The register's bytes, low byte first, as many as the layout says. */
  read(index: number): Uint8Array;
  /**
   * Sets a register from its bytes, low byte first.
   * Returns null when that is done, else a text that says why it can't be.
   */
  write?(index: number, bytes: Uint8Array): string | null;
}

/** The memory as the processor would see it at its present privilege and mapping. */
export interface MemoryAccess {
  /** The bytes from a linear address on, fewer when the rest can't be read, none when nothing can. */
  read(linear: number, length: number): Uint8Array;
  /** Sets bytes, all or none. Returns null when that is done, else a text that says why it can't be. */
  write?(linear: number, bytes: Uint8Array): string | null;
}

/** A program as it was loaded, for a client that has no copy of it. */
export interface TargetImage {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Code beside the program's, for whose names a client has no file. */
export interface TargetLibrary extends TargetImage {
  /** The first linear address of its only segment, unsigned. */
  readonly address: number;
}

/** A range of linear addresses. */
export interface MemoryRegion {
  readonly start: number;
  readonly length: number;
  readonly kind: 'ram' | 'rom';
}

/** A table that gdb shows with `info os NAME`. */
export interface OsTable {
  readonly name: string;
  readonly summary: string;
  readonly columns: readonly string[];
  rows(): readonly (readonly string[])[];
}

/** Instructions one behind the other: the linear addresses of the first and the last of them. */
export interface BranchBlock {
  readonly begin: number;
  readonly end: number;
}

/** A machine, or a recording of one, that gdb can be connected to. */
export interface DebugTarget {
  readonly registers: RegisterAccess;
  readonly memory: MemoryAccess;
  readonly forward: Motion;
  /** Going back in time. */
  readonly backward?: Motion;
  /** Stopping at addresses. `accepts` says whether it can stop at this linear one. */
  readonly breakpoints?: { accepts(linear: number): boolean };
  /** Stopping at accesses. `accepts` says whether it can watch this range. */
  readonly watchpoints?: { accepts(watchpoint: Watchpoint): boolean };
  /** What `monitor` understands beside `help`. */
  readonly monitor?: readonly MonitorCommand[];
  /** One line on the present state, shown by `info threads`. */
  readonly status?: () => string;
  /** The program that runs. */
  readonly image?: TargetImage;
  readonly library?: TargetLibrary;
  /** All linear addresses that may be readable at some time. */
  readonly memoryMap?: readonly MemoryRegion[];
  readonly tables?: readonly OsTable[];
  /** What ran before the present instant: stretches without a branch, the latest first. */
  readonly branches?: () => readonly BranchBlock[];
  /** Signals that stand for deliveries; a client says which of them it wants. */
  readonly deliverySignals?: readonly number[];
  /** Puts the target back where a first client finds it; called when gdb kills it. */
  readonly restart?: () => void;
  /** Called when a client has gone, however: what was changed for it alone ends. */
  readonly release?: () => void;
  /** How far a motion has come, where it takes long and has come far since the last call; or null. */
  readonly takeProgress?: () => string | null;
  /** Takes what the target has to tell the user since the last call, a line each. */
  readonly takeNotices?: () => readonly string[];
}

/** The members of a target that may be missing. */
export type Capability =
  | 'backward'
  | 'breakpoints'
  | 'watchpoints'
  | 'monitor'
  | 'status'
  | 'image'
  | 'library'
  | 'memoryMap'
  | 'tables'
  | 'branches'
  | 'deliverySignals'
  | 'restart';
