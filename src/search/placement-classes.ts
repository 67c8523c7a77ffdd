/**
 * Which placements of an input come to the same run. An input that is held off leaves the run as it is
 * but for itself: placing it a step later is the same, if the states after that step are. This is found
 * out step by step, on two machines, and never assumed.
 */
import type { Instant } from '../replay/instant.js';
import type { BaseRun } from './base-run.js';
import { type Boundary, boundaryOf } from './boundary.js';
import type { PlacedInput } from './schedule.js';
import type { Twin } from './twin.js';

/**
 * Why placements are not run one by one. `held`: held off until `runAt`. `lost`: the input changes
 * nothing at all, for instance since its line waits already.
 */
export type ClassKind = 'held' | 'lost';

/** Placements that come to the same run. */
export interface PlacementClass {
  readonly kind: ClassKind;
  /** The instants that were asked for. */
  readonly members: readonly Boundary[];
  /** The last instant that is equal to them; it need not have been asked for. */
  readonly runAt: Instant;
}

/** An input that is held off for longer is run from there. */
const HELD_STEPS_MOST = 20_000;

/**
 * Yields the classes in the order of time, and ends where the base run does.
 * @param instants ascending.
 * @param twin null where no two placements of this input can be the same.
 */
export function* placementClasses(
  base: BaseRun,
  twin: Twin | null,
  input: PlacedInput,
  instants: readonly Instant[],
): Generator<PlacementClass> {
  for (let next = 0; next < instants.length; ) {
    if (!base.seek(instants[next])) return;
    const members = [boundaryOf(base.machine)];
    next += 1;
    if (twin === null) {
      yield { kind: 'held', members, runAt: base.instant };
      continue;
    }
    twin.place(input);
    if (twin.isEqual(null)) {
      yield { kind: 'lost', members, runAt: base.instant };
      continue;
    }
    let runAt = base.instant;
    const limit = runAt + HELD_STEPS_MOST;
    while (runAt < limit && twin.step() && base.step() && twin.isEqual(input)) {
      runAt = base.instant;
      if (instants[next] !== runAt) continue;
      members.push(boundaryOf(base.machine));
      next += 1;
    }
    yield { kind: 'held', members, runAt };
  }
}
