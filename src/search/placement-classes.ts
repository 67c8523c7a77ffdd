/**
 * Which placements of inputs come to the same run. Inputs that are held off leave the run as it is but for
 * themselves: placing them a step later is the same, if the states after that step are. This is found
 * out step by step, on two machines, and never assumed.
 */
import type { Instant } from '../replay/instant.js';
import type { BaseRun } from './base-run.js';
import { type Boundary, boundaryOf, linearEip } from './boundary.js';
import type { PlacedInput } from './schedule.js';
import type { Twin } from './twin.js';

/**
 * Why placements are not run one by one. `held`: held off until `runAt`. `lost`: the inputs change
 * nothing at all, for instance since the line waits already. `first`, `second`: of two inputs the other one
 * changes nothing.
 */
export type ClassKind = 'held' | 'lost' | 'first' | 'second';

/** Placements that come to the same run. */
export interface PlacementClass {
  readonly kind: ClassKind;
  /** The instants that were asked for. */
  readonly members: readonly Boundary[];
  /** The last instant that is equal to them; it need not have been asked for. */
  readonly runAt: Instant;
  /** Linear EIP there, unsigned. */
  readonly runEip: number;
}

/** An input that is held off for longer is run from there. */
const HELD_STEPS_MOST = 20_000;

/**
 * Yields the classes in the order of time, and ends where the base run does.
 * @param inputs one, or two that come at one instant.
 * @param instants ascending.
 * @param twin null where no two placements of these inputs can be the same.
 */
export function* placementClasses(
  base: BaseRun,
  twin: Twin | null,
  inputs: readonly PlacedInput[],
  instants: readonly Instant[],
): Generator<PlacementClass> {
  const parts = partsOf(inputs);
  for (let next = 0; next < instants.length; ) {
    if (!base.seek(instants[next])) return;
    const members = [boundaryOf(base.machine)];
    let runAt = base.instant;
    let runEip = members[0].linear;
    next += 1;
    if (twin === null) {
      yield { kind: 'held', members, runAt, runEip };
      continue;
    }
    twin.place(inputs);
    const part = parts.find(({ left }) => twin.isEqual(left));
    if (part !== undefined) {
      yield { kind: part.kind, members, runAt, runEip };
      continue;
    }
    const limit = runAt + HELD_STEPS_MOST;
    while (runAt < limit && twin.step() && base.step() && twin.isEqual(inputs)) {
      runAt = base.instant;
      runEip = linearEip(base.machine);
      if (instants[next] !== runAt) continue;
      members.push(boundaryOf(base.machine));
      next += 1;
    }
    yield { kind: 'held', members, runAt, runEip };
  }
}

/** The twin for classes of these inputs: none where they are taken at once wherever they are placed. */
export function twinFor(inputs: readonly PlacedInput[], makeTwin: () => Twin): Twin | null {
  return inputs.some(({ kind }) => kind === 'exception') ? null : makeTwin();
}

/** What may be left of the inputs where the others change nothing. */
function partsOf(
  inputs: readonly PlacedInput[],
): readonly { readonly kind: ClassKind; readonly left: readonly PlacedInput[] }[] {
  const none = { kind: 'lost', left: [] } as const;
  if (inputs.length === 1) return [none];
  const [first, second] = inputs;
  return [none, { kind: 'first', left: [first] }, { kind: 'second', left: [second] }];
}
