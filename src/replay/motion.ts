/** How a timeline is moved, and where a motion stops. */
import type { DeliveryKind } from '../cpu/system/delivery.js';
import type { Divergence } from './divergence.js';
import type { Outcome } from './outcome.js';
import type { WatchAccess, Watchpoint } from './watch-set.js';

export type Direction = 'forward' | 'backward';

/** An interrupt or an exception that enters its handler. */
export interface Delivery {
  /** 0 to 255. */
  readonly vector: number;
  readonly kind: DeliveryKind;
  /** Of an interrupt its line, as `irq` events have it; null of anything else. */
  readonly line: number | null;
}

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
  /** Each call that the hypervisor serves is a reason to stop, behind the step that it came with. */
  readonly calls?: boolean;
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
  /** The hypervisor has served a call: in both directions the same instant. */
  | { readonly kind: 'call' }
  /** Nothing lies before this instant. */
  | { readonly kind: 'begin' }
  /** Nothing lies after this instant. */
  | { readonly kind: 'end'; readonly outcome: Outcome | null }
  /** The replay left the recorded past: only going back leads on. */
  | { readonly kind: 'divergence'; readonly divergence: Divergence }
  /** A live guest is halted until something arrives from outside. */
  | { readonly kind: 'interrupted' };

/** Why the machine came back from a run, whoever drives it. */
export type Exit = 'until' | 'breakpoint' | 'stopped' | 'waiting' | 'end' | 'divergence';

/** The stop that an exit stands for which no condition brought about. */
export function stopBy(exit: Exit, outcome: Outcome | null, divergence: Divergence | null): Stop {
  switch (exit) {
    case 'divergence':
      return { kind: 'divergence', divergence: divergence! };
    case 'waiting':
      return { kind: 'interrupted' };
    case 'end':
      return { kind: 'end', outcome };
    case 'until':
    case 'breakpoint':
    case 'stopped':
      return { kind: 'instant' };
  }
}
