/** One try: a run from a state on, with the inputs of a schedule, until a verdict, its end, or a limit. */
import type { Machine } from '../machine/machine.js';
import type { LiveSource } from '../replay/clock/live-source.js';
import type { TraceEvent } from '../replay/event.js';
import type { Instant } from '../replay/instant.js';
import type { Outcome } from '../replay/outcome.js';
import { Recorder } from '../replay/recorder.js';
import { Session } from '../replay/session.js';
import type { CompiledVerdicts } from './verdict.js';
import { type Finding, VerdictWatch } from './verdict-watch.js';

/** How a try goes. */
export interface TrialOptions {
  readonly verdicts: CompiledVerdicts;
  /** Instructions after which the run is given up as good. */
  readonly budget: number;
  /** Gets all events of the run, with its end. */
  readonly record?: TraceEvent[];
  /** What is recorded stays in memory: the end has no digest, which would cost a look at all of RAM. */
  readonly isTransient?: true;
  /** What the guest has sent of the present line of serial output. */
  readonly line?: string;
  /** When the last interrupt was taken; the present instant where absent. */
  readonly takenAt?: Instant;
  /** What lies before the run in its trace: for scripts. */
  readonly prefix?: readonly TraceEvent[];
}

/** What a try came to. */
export interface TrialResult {
  /** Null for a good run. */
  readonly finding: Finding | null;
  /** The instant at which it was over. */
  readonly end: Instant;
  /** How it ended by itself; null where a verdict or the budget ended it. */
  readonly outcome: Outcome | null;
  /** A script could not tell. */
  readonly isSkipped?: true;
}

/**
 * Runs the machine from its present state. Its breakpoints must be those of the verdicts.
 * @param source not yet attached.
 */
export function runTrial(machine: Machine, source: LiveSource, options: TrialOptions): TrialResult {
  const { verdicts, budget } = options;
  const { cpu } = machine;
  const hasScripts = verdicts.scripts.length > 0;
  const events = options.record ?? [];
  // Behind a prefix that has its digests one at the end is enough.
  const firstDigest = options.prefix === undefined ? 0 : Number.POSITIVE_INFINITY;
  const digests = options.isTransient === true && !hasScripts ? 'never' : firstDigest;
  const recorder =
    options.record === undefined && !hasScripts
      ? null
      : new Recorder(machine, { event: (event) => events.push(event) }, digests);
  const session = new Session(machine, source, { maxInstructions: cpu.retired + budget, recorder });
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
    else if (recorder !== null) session.interrupt();
    const isOver = outcome !== null && outcome.kind !== 'limit';
    const result = {
      finding: watch.finding,
      end: cpu.instant,
      outcome: isOver ? outcome : null,
    };
    if (result.finding !== null || !hasScripts) return result;
    return { ...result, ...askScripts(verdicts, [...(options.prefix ?? []), ...events], watch) };
  } finally {
    watch.release();
  }
}

/** What the scripts say of a run that no other verdict calls bad. */
function askScripts(
  { scripts }: CompiledVerdicts,
  events: readonly TraceEvent[],
  watch: VerdictWatch,
): Pick<TrialResult, 'finding' | 'isSkipped'> {
  let isSkipped = false;
  for (const { place, ask } of scripts) {
    const answer = ask(events);
    if (answer === 'bad') return { finding: watch.found(place, 'the script says so') };
    isSkipped ||= answer === 'skip';
  }
  return { finding: null, ...(isSkipped ? { isSkipped } : {}) };
}
