/**
 * Two machines that should do the same, side by side: one past on each of two timelines, compared every
 * few thousand steps, and at a difference gone over again until its first instant is found.
 *
 * It is how engines are held to each other: what is compared is all that a digest takes, so that nothing
 * can differ and be made up for unseen but within a stride.
 */
import type { Machine } from '../machine/machine.js';
import { StateDigest } from './digest.js';
import type { Instant } from './instant.js';
import type { Timeline } from './timeline.js';

/** Steps between two comparisons. */
export const STRIDE_STEPS = 20_000;

/** Where two timelines that should be one part. */
export interface Parting {
  /** The last instant at which they are known to be equal; the machines are at `at`. */
  readonly equalAt: Instant;
  /** The first instant at which they differ. */
  readonly at: Instant;
  /**
   * False where going over it again made no difference, so that `equalAt` is only where they were
   * compared last: what was compiled when has mattered.
   */
  readonly isRepeated: boolean;
  /** Devices whose state differs. */
  readonly devices: readonly string[];
  /** The first byte of RAM that differs, or null. */
  readonly memory: {
    readonly physical: number;
    readonly first: number;
    readonly second: number;
  } | null;
}

/** Both came to their common end. */
export type LockstepResult = Parting | 'end' | 'equal';

/** Drives two timelines of one past. */
export class Lockstep {
  readonly #first: Timeline;
  readonly #second: Timeline;
  readonly #digests: readonly [StateDigest, StateDigest];
  #equalAt: Instant;

  /** @param first both are at the same instant of equal machines, or over the same trace. */
  constructor(first: Timeline, second: Timeline) {
    this.#first = first;
    this.#second = second;
    this.#digests = [new StateDigest(first.machine), new StateDigest(second.machine)];
    this.#equalAt = first.instant;
  }

  /** Goes on by one stride and compares. Not to be called again once it has found a difference. */
  stride(): LockstepResult {
    const to = this.#equalAt + STRIDE_STEPS;
    const [first, second] = [this.#first.seek(to), this.#second.seek(to)];
    const isEnd = first.kind !== 'instant' && first.kind === second.kind;
    const [a, b] = this.#digests.map((digest) => digest.compute());
    if (a === b) {
      this.#equalAt = this.#first.instant;
      return isEnd ? 'end' : 'equal';
    }
    return this.#part(Math.max(this.#first.instant, this.#second.instant));
  }

  /** Halves the stretch behind the last comparison until the first difference is found. */
  #part(differsAt: Instant): Parting {
    let equal = this.#equalAt;
    let at = differsAt;
    if (this.#isEqualAt(at)) {
      return { equalAt: equal, at, isRepeated: false, ...this.#differences() };
    }
    while (at - equal > 1) {
      const middle = equal + Math.floor((at - equal) / 2);
      if (this.#isEqualAt(middle)) equal = middle;
      else at = middle;
    }
    this.#isEqualAt(at);
    return { equalAt: equal, at, isRepeated: true, ...this.#differences() };
  }

  /** Goes back to the last comparison, so that compiled code has room, and from there to an instant. */
  #isEqualAt(at: Instant): boolean {
    for (const timeline of [this.#first, this.#second]) {
      timeline.seek(this.#equalAt);
      timeline.seek(at);
    }
    const [a, b] = [this.#first.machine, this.#second.machine];
    return (
      a.cpu.instant === b.cpu.instant &&
      Buffer.compare(a.cpu.architecturalState(), b.cpu.architecturalState()) === 0 &&
      this.#differences().devices.length === 0 &&
      this.#differences().memory === null
    );
  }

  #differences(): Pick<Parting, 'devices' | 'memory'> {
    const [a, b] = [this.#first.machine, this.#second.machine];
    return { devices: differentDevices(a, b), memory: firstDifferentByte(a, b) };
  }
}

function differentDevices(a: Machine, b: Machine): string[] {
  return a.devices
    .filter((device, index) => device.save().join() !== b.devices[index].save().join())
    .map(({ name }) => name);
}

function firstDifferentByte(a: Machine, b: Machine): Parting['memory'] {
  const [one, other] = [a.cpu.core.physical.ram, b.cpu.core.physical.ram];
  if (Buffer.compare(one, other) === 0) return null;
  const physical = one.findIndex((byte, at) => byte !== other[at]);
  return { physical, first: one[physical], second: other[physical] };
}
