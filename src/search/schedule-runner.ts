/** Runs one guest from reset again and again, each time under another schedule. */
import { type Checkpoint, Checkpoints } from '../replay/checkpoint.js';
import type { Guest } from './guest.js';
import type { RecordedPast, ScheduledInput } from './schedule.js';
import { type Feed, FROM_RESET, ScheduleSource } from './schedule-source.js';
import { runTrial, type TrialResult } from './trial.js';
import type { CompiledVerdicts } from './verdict.js';

/** How schedules are tried. */
export interface ScheduleRunnerOptions {
  /** Whose clock readings the runs get as long as they ask for them. */
  readonly past: RecordedPast;
  readonly verdicts: CompiledVerdicts;
  readonly feed: Feed;
  /** Instructions from reset on. */
  readonly budget: number;
}

/** One machine that tries schedules, and remembers what came of them. */
export class ScheduleRunner {
  readonly #guest: Guest;
  readonly #options: ScheduleRunnerOptions;
  readonly #checkpoints: Checkpoints;
  readonly #start: Checkpoint;
  readonly #known = new Map<string, TrialResult>();

  /** @param guest at its start; it is this runner's from now on. */
  constructor(guest: Guest, options: ScheduleRunnerOptions) {
    guest.machine.cpu.breakpoints = options.verdicts.breakpoints;
    this.#guest = guest;
    this.#options = options;
    this.#checkpoints = new Checkpoints(guest.machine);
    this.#checkpoints.take(0);
    this.#start = this.#checkpoints.nearest(guest.machine.cpu.instant)!;
  }

  /** How many runs it took so far. */
  get runs(): number {
    return this.#known.size;
  }

  /** What comes of a schedule. */
  try(schedule: readonly ScheduledInput[]): TrialResult {
    const key = JSON.stringify(schedule);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { machine } = this.#guest;
    const { past, verdicts, feed, budget } = this.#options;
    this.#checkpoints.restore(this.#start);
    const source = new ScheduleSource(past, schedule, feed, FROM_RESET);
    const result = runTrial(machine, source, { verdicts, budget });
    this.#known.set(key, result);
    return result;
  }
}
