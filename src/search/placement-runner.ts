/** Tries placements, one run each, from a copy-on-write checkpoint of the base run. */
import type { Instant } from '../replay/instant.js';
import { BaseRun } from './base-run.js';
import type { Guest } from './guest.js';
import { type PlacedInput, withInput } from './schedule.js';
import { type Feed, ScheduleSource } from './schedule-source.js';
import type { ScheduledRun } from './scheduled-run.js';
import { runTrial, type TrialResult } from './trial.js';
import type { CompiledVerdicts } from './verdict.js';

/** How placements are tried. */
export interface PlacementOptions {
  readonly verdicts: CompiledVerdicts;
  /** Instructions from the placement on. */
  readonly budget: number;
  readonly feed: Feed;
}

/** One machine that tries placements; cheapest in the order of their instants. */
export class PlacementRunner {
  readonly #base: BaseRun;
  readonly #run: ScheduledRun;
  readonly #options: PlacementOptions;

  /** @param guest at its start; it is this runner's from now on. */
  constructor(guest: Guest, run: ScheduledRun, options: PlacementOptions) {
    // Once and for all: decoded code is dropped when they change.
    guest.machine.cpu.breakpoints = options.verdicts.breakpoints;
    this.#base = new BaseRun(guest.machine, run.past);
    this.#run = run;
    this.#options = options;
  }

  /** What comes of an input at an instant of the base run. */
  try(at: Instant, input: PlacedInput): TrialResult {
    const base = this.#base;
    if (!base.seek(at)) throw new Error(`the base run ends before @${at}`);
    const here = base.mark();
    const { past, position } = base;
    const { verdicts, budget, feed } = this.#options;
    const schedule = withInput(past.inputsFrom(position), { at, input });
    const source = new ScheduleSource(past, schedule, feed, { reads: past.readsBefore(position) });
    const line = this.#run.serial.lineAt(at);
    const takenAt = past.lastAccept(position);
    const result = runTrial(base.machine, source, {
      verdicts,
      budget,
      line,
      takenAt,
      ...(verdicts.scripts.length > 0 ? { prefix: past.events.slice(0, position) } : {}),
    });
    base.back(here);
    return result;
  }
}
