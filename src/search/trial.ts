/** One try: a run from a state on, with the inputs of a schedule, until a verdict, its end, or a limit. */
import type { Machine } from '../machine/machine.js';
import type { Instant } from '../replay/instant.js';
import type { Outcome } from '../replay/outcome.js';
import type { Recorder } from '../replay/recorder.js';
import { Session } from '../replay/session.js';
import type { ScheduleSource } from './schedule-source.js';
import type { CompiledVerdicts } from './verdict.js';
import { type Finding, VerdictWatch } from './verdict-watch.js';

/** How a try goes. */
export interface TrialOptions {
  readonly verdicts: CompiledVerdicts;
  /** Instructions after which the run is given up as good. */
  readonly budget: number;
  /** Records the run. It gets its end, unless the run is left at a verdict. */
  readonly recorder?: Recorder;
  /** What the guest has sent of the present line of serial output. */
  readonly line?: string;
  /** When the last interrupt was taken; @0 where absent. */
  readonly takenAt?: Instant;
}

/** What a try came to. */
export interface TrialResult {
  /** Null for a good run. */
  readonly finding: Finding | null;
  /** The instant at which it was over. */
  readonly end: Instant;
  /** How it ended by itself; null where a verdict or the budget ended it. */
  readonly outcome: Outcome | null;
}

/**
 * Runs the machine from its present state. Its breakpoints must be those of the verdicts.
 * @param source not yet attached.
 */
export function runTrial(
  machine: Machine,
  source: ScheduleSource,
  options: TrialOptions,
): TrialResult {
  const { verdicts, budget, recorder } = options;
  const { cpu } = machine;
  const session = new Session(machine, source, {
    maxInstructions: cpu.retired + budget,
    ...(recorder === undefined ? {} : { recorder }),
  });
  const watch = new VerdictWatch(machine, verdicts, options.line, options.takenAt);
  try {
    let skip = false;
    while (watch.finding === null && session.outcome === null) {
      const exit = session.advance(cpu.instant + watch.patience, skip);
      watch.boundary();
      skip = exit === 'breakpoint';
      if (skip) watch.breakpoint();
      if (exit === 'waiting') throw new Error('a schedule waits for nobody');
    }
    const { outcome } = session;
    if (outcome !== null) watch.ended(outcome);
    else if (recorder !== undefined) session.interrupt();
    const isOver = outcome !== null && outcome.kind !== 'limit';
    return { finding: watch.finding, end: cpu.instant, outcome: isOver ? outcome : null };
  } finally {
    watch.release();
  }
}
