/** The museum's races, as their expected.json describes them. */
import { readdirSync, readFileSync } from 'node:fs';
import type { MachineInput } from '../../../src/machine/input.js';
import { ROOT } from '../../traces/support/recipe.js';
import type { Experiment, Placement } from './brute-force.js';

const RACES = `${ROOT}guest/races/`;

/** An image and how it is run. */
export interface Build {
  /** Path from the root. */
  readonly image: string;
  /** Machine options, as on the command line. */
  readonly options: readonly string[];
}

/** What a search must find. */
export interface Race {
  /** What is placed. */
  readonly event: MachineInput;
  /** Where: from the first visit of one place to the first visit of the other, without that. */
  readonly range: { readonly from: string; readonly to: string };
  /** What makes a run bad, as `holdoff explore` takes it. */
  readonly verdict: readonly string[];
  /**
   * The wrong code, and every boundary of the range at which the event is taken at once and makes the run
   * bad: the place of the instruction behind it, with `#2` for the second visit in the range and so on.
   */
  readonly wrong: Build & { readonly bad: readonly string[] };
  /** Right code: no placement is bad. */
  readonly right: readonly Build[];
  /** Whether the wrong code can keep the event waiting to the end, and is bad by that. */
  readonly isStarved?: true;
}

/** The folders of guest/races by name. */
export function raceNames(): string[] {
  const entries = readdirSync(RACES, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

export function readRace(name: string): Race {
  return JSON.parse(readFileSync(`${RACES}${name}/expected.json`, 'utf8')) as Race;
}

/** The race's event in every place of its range, on one of its builds. */
export function experimentOf(race: Race, { image, options }: Build): Experiment {
  return { image, options, input: race.event, ...race.range };
}

/** The name of a boundary in expected.json. */
export function boundaryOf({ place, visit }: Pick<Placement, 'place' | 'visit'>): string {
  return visit === 1 ? place : `${place}#${visit}`;
}
