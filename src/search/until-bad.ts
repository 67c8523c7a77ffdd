/** Runs with random ordering points, one seed after the other, until one of them is bad. */
import { type Checkpoint, Checkpoints } from '../replay/checkpoint.js';
import type { LiveSource } from '../replay/clock/live-source.js';
import { VirtualClock } from '../replay/clock/virtual.js';
import type { TraceEvent } from '../replay/event.js';
import type { Guest } from './guest.js';
import { OrderingPoints } from './ordering-points.js';
import { runTrial, type TrialResult } from './trial.js';
import type { CompiledVerdicts } from './verdict.js';
import type { Finding } from './verdict-watch.js';

/** What is tried. */
export interface UntilBadOptions {
  readonly verdicts: CompiledVerdicts;
  /** Instructions of one run. */
  readonly budget: number;
  /** The first seed, and how many are tried. */
  readonly seed: number;
  readonly runs: number;
  /** Interrupts of one run, and their line. */
  readonly points: number;
  readonly line: number;
}

/** The first bad run. */
export interface BadRun {
  readonly seed: number;
  /** 1 for the first try. */
  readonly run: number;
  readonly finding: Finding;
  readonly events: readonly TraceEvent[];
}

/**
 * Tries seeds in turn, each from the guest's present state. Yields between runs.
 * @returns `none` where no run is bad.
 */
export function* untilBad(
  guest: Guest,
  options: UntilBadOptions,
): Generator<undefined, BadRun | 'none'> {
  const { machine } = guest;
  const { verdicts, budget, points, line } = options;
  machine.cpu.breakpoints = verdicts.breakpoints;
  const checkpoints = new Checkpoints(machine);
  checkpoints.take(0);
  const start: Checkpoint = checkpoints.nearest(machine.cpu.instant)!;
  const attempt = (source: LiveSource, record?: TraceEvent[]): TrialResult => {
    checkpoints.restore(start);
    const how = record === undefined ? {} : { record };
    return runTrial(machine, source, { verdicts, budget, ...how });
  };
  // How long a run is, is learnt from one whose timers tick as programmed.
  const instants = Math.max(1, attempt(new VirtualClock()).end - start.at);
  for (let run = 1; run <= options.runs; run++) {
    yield;
    const seed = options.seed + run - 1;
    const source = (): LiveSource => new OrderingPoints({ seed, points, instants, line });
    if (attempt(source()).finding === null) continue;
    const events: TraceEvent[] = [];
    const { finding } = attempt(source(), events);
    if (finding === null) throw new Error(`seed ${seed} is bad, and then good`);
    return { seed, run, finding, events };
  }
  return 'none';
}
