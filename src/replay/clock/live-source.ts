/**
 * What feeds a live machine: the passing of time, and the timer interrupts that come with it. A replay
 * has no source; its trace holds what the source of the recording did.
 */
import type { ClockSource, MachineInput } from '../../machine/input.js';
import type { Machine } from '../../machine/machine.js';
import type { Instant } from '../instant.js';

/** Hands an input to the machine, and to the recorder where there is one. */
export type InputDoor = (input: MachineInput) => void;

/**
 * What a source can do for a halted processor. `advanced`: guest time went on, and an input arrived
 * that may wake it. `wait`: only the host's time brings the next input. `forever`: no input of this
 * source will ever wake it.
 */
export type IdleResult = 'advanced' | 'wait' | 'forever';

/** Where a live machine's inputs come from. The session calls it between steps, never within one. */
export interface LiveSource {
  /** Binds the source to a machine in its present state; called once, before anything else. */
  attach(machine: Machine, inject: InputDoor): void;
  /**
   * The last instant up to which the machine may run before `poll` must be called again; after the
   * present one, Infinity where nothing is to come.
   */
  nextInstant(): Instant;
  /** Injects what is due at the present instant. Calling it twice at one instant is harmless. */
  poll(): void;
  /**
   * What a clock shows now; called while an instruction is under way.
   * @param isLook no timer's edges will fall differently for what the instruction does.
   */
  readClock(source: ClockSource, isLook: boolean): number;
  /** The processor is halted: moves guest time on to the next input where the source can. */
  idle(): IdleResult;
  /**
   * After `wait`: nanoseconds of host time until the next input is due, at least 0. After `forever`:
   * Infinity.
   */
  readonly waitNanoseconds: number;
  /** Guest time stands still from here to `resume`, where it follows the host's: a debugger stopped. */
  pause(): void;
  resume(): void;
}
