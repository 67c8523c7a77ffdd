/** Finds the class of a placement by its instant. */
import type { Instant } from '../replay/instant.js';
import type { Boundary } from './boundary.js';
import type { PlacementClass } from './placement-classes.js';
import type { TrialResult } from './trial.js';

/** The placements of one input, or of two at one instant. */
export interface ExploredClasses {
  readonly classes: readonly PlacementClass[];
  /** By `runAt`; only of classes of kind `held`. */
  readonly results: ReadonlyMap<Instant, TrialResult>;
}

/** Classes by the instants of their members. */
export class Placements {
  readonly #byInstant = new Map<
    Instant,
    { readonly placements: PlacementClass; readonly boundary: Boundary }
  >();
  readonly results: ReadonlyMap<Instant, TrialResult>;
  /** Where a placement that makes the run bad is taken. */
  readonly badEips = new Set<number>();

  constructor({ classes, results }: ExploredClasses) {
    this.results = results;
    for (const placements of classes) {
      for (const boundary of placements.members) {
        this.#byInstant.set(boundary.at, { placements, boundary });
      }
      const isBad = placements.kind === 'held' && (results.get(placements.runAt)?.finding ?? null);
      if (isBad) this.badEips.add(placements.runEip);
    }
  }

  at(instant: Instant): { placements: PlacementClass; boundary: Boundary } | undefined {
    return this.#byInstant.get(instant);
  }

  /** What a placement comes to: null where it changes nothing, undefined where it was not run. */
  resultAt(instant: Instant): TrialResult | null | undefined {
    const found = this.at(instant);
    if (found === undefined) return undefined;
    return found.placements.kind === 'held' ? this.results.get(found.placements.runAt) : null;
  }
}

/** The class of an instant among classes in the order of time, and the boundary there; null where none has it. */
export function memberOf<T extends PlacementClass>(
  classes: readonly T[],
  at: Instant,
): { readonly each: T; readonly boundary: Boundary } | null {
  let low = 0;
  let high = classes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (classes[middle].members[0].at <= at) low = middle + 1;
    else high = middle;
  }
  const each = classes.at(low - 1);
  const boundary = low === 0 ? undefined : each?.members.find((member) => member.at === at);
  return each === undefined || boundary === undefined ? null : { each, boundary };
}
