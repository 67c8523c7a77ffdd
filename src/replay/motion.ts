/** How a timeline is moved, and where a motion stops. */
import type { Divergence } from './divergence.js';
import type { Delivery } from './lookout.js';
import type { Outcome } from './outcome.js';
import type { WatchAccess, Watchpoint } from './watch-set.js';

export type Direction = 'forward' | 'backward';

/** Where a motion stops before it has come to an end of the timeline. */
export interface StopConditions {
  /** Linear addresses, unsigned. */
  readonly breakpoints: ReadonlySet<number>;
  readonly watchpoints: readonly Watchpoint[];
  /**
   * Asked at each breakpoint whether it is one to stop at; without it every one is. It may look at the
   * machine, and must not change it.
   */
  readonly isWanted?: (linear: number) => boolean;
  /**
   * Asked at each delivery of an interrupt or exception whether to stop behind it; without it none is a
   * reason to stop, and deliveries cost nothing.
   */
  readonly deliveries?: (delivery: Delivery) => boolean;
}

/** Why a motion ended. */
export type Stop =
  /** At the instant that was asked for. */
  | { readonly kind: 'instant' }
  /** At a breakpoint, whose instruction has not run. */
  | { readonly kind: 'breakpoint'; readonly linear: number }
  /** After the access; going backward, before it. */
  | { readonly kind: 'watchpoint'; readonly address: number; readonly access: WatchAccess }
  /** A handler was entered, and has not run yet: in both directions the same instant. */
  | { readonly kind: 'delivery'; readonly delivery: Delivery }
  /** Nothing lies before this instant. */
  | { readonly kind: 'begin' }
  /** Nothing lies after this instant. */
  | { readonly kind: 'end'; readonly outcome: Outcome | null }
  /** The replay left the recorded past: only going back leads on. */
  | { readonly kind: 'divergence'; readonly divergence: Divergence }
  /** A live guest is halted until something arrives from outside. */
  | { readonly kind: 'interrupted' };
