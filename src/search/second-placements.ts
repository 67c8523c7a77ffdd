/** Places a second input behind a first one: at each instant of the run that has the first. */

import type { Machine } from '../machine/machine.js';
import type { Instant } from '../replay/instant.js';
import { type PlacementClass, placementClasses, twinFor } from './placement-classes.js';
import type { PlacementRunner } from './placement-runner.js';
import type { PlacedInput, ScheduledInput } from './schedule.js';
import type { Feed } from './schedule-source.js';
import type { TrialResult } from './trial.js';
import { Twin } from './twin.js';

/** Placements of the second input that come to one run. */
export interface SecondClass extends PlacementClass {
  /** What that run came to; null where it is the one without the second input. */
  readonly result: TrialResult | null;
}

/** Where a second input is placed. */
export interface SecondRange {
  readonly first: ScheduledInput;
  readonly input: PlacedInput;
  /** The last instant; the first one is that behind the first input. */
  readonly to: Instant;
}

/** One machine that tries second inputs, and another one that tells which placements are equal. */
export class SecondPlacements {
  readonly #runner: PlacementRunner;
  readonly #feed: Feed;
  readonly #makeMachine: () => Machine;
  #twin: Twin | null = null;

  /** @param makeMachine makes a machine as the runner's was at its start. */
  constructor(runner: PlacementRunner, feed: Feed, makeMachine: () => Machine) {
    this.#runner = runner;
    this.#feed = feed;
    this.#makeMachine = makeMachine;
  }

  /** What comes of a second input at each instant of its range, as far as the run with the first one goes. */
  try({ first, input, to }: SecondRange): SecondClass[] {
    return this.#runner.with(first, (runner, end) => {
      const { base } = runner;
      const twin = twinFor([input], () => this.#beside(runner));
      const last = Math.min(to, end);
      const instants: Instant[] = [];
      for (let at = first.at + 1; at <= last; at++) instants.push(at);
      const classes = [...placementClasses(base, twin, [input], instants)];
      return classes.map((each) => ({
        ...each,
        result: each.kind === 'held' ? runner.try([{ at: each.runAt, input }]) : null,
      }));
    });
  }

  #beside({ base }: PlacementRunner): Twin {
    this.#twin ??= new Twin(base, this.#makeMachine(), this.#feed);
    this.#twin.follow(base);
    return this.#twin;
  }
}
