/** Inputs at chosen instants, beside those of another source. */
import type { ClockSource, MachineInput } from '../../machine/input.js';
import type { Machine } from '../../machine/machine.js';
import type { Instant } from '../instant.js';
import type { IdleResult, InputDoor, LiveSource } from './live-source.js';

/** An input and the instant at which it comes. */
export interface PlacedInput {
  readonly at: Instant;
  readonly input: MachineInput;
}

/**
 * A source that injects what it was given, and all else that another source does. An exception is a step
 * of its own, so of what is placed at one instant exceptions come last, one a step.
 */
export class PlacedInputs implements LiveSource {
  readonly #source: LiveSource;
  readonly #left: PlacedInput[];
  #machine!: Machine;
  #inject: InputDoor = () => undefined;

  /** @param placed in any order. */
  constructor(source: LiveSource, placed: readonly PlacedInput[]) {
    this.#source = source;
    this.#left = [...placed].sort((a, b) => a.at - b.at || rank(a) - rank(b));
  }

  /** What has not been injected so far. */
  get left(): readonly PlacedInput[] {
    return this.#left;
  }

  attach(machine: Machine, inject: InputDoor): void {
    this.#machine = machine;
    this.#inject = inject;
    this.#source.attach(machine, inject);
  }

  nextInstant(): Instant {
    return Math.min(this.#source.nextInstant(), this.#left.at(0)?.at ?? Number.POSITIVE_INFINITY);
  }

  poll(): void {
    this.#source.poll();
    const { instant } = this.#machine.cpu;
    while (this.#left.length > 0 && this.#left[0].at <= instant) {
      const { input } = this.#left.shift()!;
      this.#inject(input);
      // The step that it took leads to another boundary.
      if (input.kind === 'exception') return;
    }
  }

  readClock(source: ClockSource, isLook: boolean): number {
    return this.#source.readClock(source, isLook);
  }

  idle(): IdleResult {
    return this.#source.idle();
  }

  get waitNanoseconds(): number {
    return this.#source.waitNanoseconds;
  }

  pause(): void {
    this.#source.pause();
  }

  resume(): void {
    this.#source.resume();
  }
}

function rank({ input }: PlacedInput): number {
  return input.kind === 'exception' ? 1 : 0;
}
