/** What `holdoff explore` does whatever it places: the base run, the search's workers, and its ends. */
import { join } from 'node:path';
import { LINE_APIC_TIMER } from '../machine/input.js';
import type { Machine } from '../machine/machine.js';
import { UserError } from '../machine/user-error.js';
import type { Instant } from '../replay/instant.js';
import { BaseRun } from '../search/base-run.js';
import { type PlacementClass, placementClasses, twinFor } from '../search/placement-classes.js';
import { type PlacedInput, type ScheduledInput, withInputs } from '../search/schedule.js';
import { runFromReset, type ScheduledRun } from '../search/scheduled-run.js';
import { searchBase } from '../search/search-base.js';
import { Twin } from '../search/twin.js';
import { type CompiledVerdicts, compileVerdicts } from '../search/verdict.js';
import { scriptAsker } from './bad-script.js';
import type { ExploreOptions } from './explore-options.js';
import type { ExploreNames } from './explore-view.js';
import { groupDigits, plural } from './numbers.js';
import { placementInstants } from './placement-range.js';
import { ProgressBar } from './progress-bar.js';
import { localCrew, type SearchCrew } from './search-crew.js';
import { Dispatcher } from './search-dispatch.js';
import { type SearchInput, searchInput, verdictsOrOutcome } from './search-input.js';
import { SearchResults } from './search-results.js';
import { SearchState } from './search-state.js';
import { type SearchContext, searchContext, type WorkItem } from './search-work.js';
import { StopSignal, turn } from './stop-signal.js';
import { makeFolder, OutputFile, writeEvents } from './trace-file.js';

/** Where a search departs from. */
export interface SearchStart {
  readonly source: SearchInput;
  readonly verdicts: CompiledVerdicts;
  readonly context: SearchContext;
  readonly names: ExploreNames;
  readonly run: ScheduledRun;
  readonly base: BaseRun;
  /** The recorded inputs that were taken away. */
  readonly moved: readonly ScheduledInput[];
  /** Where inputs are to be placed. */
  readonly instants: readonly Instant[];
}

/** Finds out what options mean before anything is tried. @throws UserError */
export function searchStart(
  path: string | undefined,
  options: ExploreOptions,
  inputs: readonly PlacedInput[],
): SearchStart {
  const source = searchInput(path, options);
  const specs = verdictsOrOutcome(options.verdicts, source.outcome);
  const verdicts = compileVerdicts(specs, source.symbols, scriptAsker(source.start));
  const { budget, then: feed } = options;
  const { makeGuest, symbols } = source;
  for (const input of inputs) expectLine(makeGuest().machine, input);
  const { run, moved } = searchBase(makeGuest, source.past, verdicts, feed, inputs);
  const base = new BaseRun(makeGuest().machine, run.past);
  const instants = placementInstants(base, symbols, options, moved.at(0)?.at ?? null);
  const context = searchContext(source, run, { verdicts: specs, budget, feed, inputs });
  const names = { symbols, verdicts: specs };
  return { source, verdicts, context, names, run, base, moved, instants };
}

/** @throws UserError on a line that the machine, which is spoilt by the question, does not have. */
function expectLine(machine: Machine, input: PlacedInput): void {
  if (input.kind !== 'irq') return;
  try {
    machine.inject(input);
  } catch {
    throw new UserError(
      `this machine has no line ${input.line} to raise${input.line === LINE_APIC_TIMER ? ': record it with --apic' : ''}`,
    );
  }
}

/** The trying of a search's items, which may be stopped and gone on with. */
export class SearchRun {
  readonly stop = new StopSignal();
  readonly results = new SearchResults();
  readonly #dispatcher: Dispatcher;
  readonly #state: SearchState;
  readonly #isResumed: boolean;
  readonly #start: SearchStart;
  readonly #began = performance.now();
  #twin: Twin | null = null;

  /**
   * @param what tells the search from others beside its context: plain data.
   * @param expected placements, about.
   */
  constructor(start: SearchStart, options: ExploreOptions, what: unknown, expected: number) {
    const { context } = start;
    const { workers, queue } = options;
    this.#start = start;
    this.#isResumed = options.resume === true;
    this.#state = new SearchState(context, what);
    if (this.#isResumed && !this.#state.load(this.results)) {
      process.stderr.write('holdoff: nothing of this search was left behind; it begins anew\n');
    }
    const hands = Math.min(workers, expected);
    const hire = async (): Promise<SearchCrew> => {
      if (queue === undefined) return localCrew(context, hands);
      // BullMQ is loaded for those who use it.
      const { queueCrew } = await import('./search-queue.js');
      return queueCrew(context, queue);
    };
    const who =
      queue === undefined ? plural(hands, 'worker') : `the queue at ${queue.host}:${queue.port}`;
    process.stderr.write(`holdoff: ${plural(expected, 'placement')} on ${who}\n`);
    const bar = new ProgressBar(process.stderr, 'placements', () => performance.now());
    this.#dispatcher = new Dispatcher(hire, this.results, this.stop, bar, { expected, hands });
  }

  /** Has an item done in its time, if it isn't yet. */
  add(item: WorkItem): void {
    this.#dispatcher.add(item);
  }

  /**
   * Finds out which placements of inputs are equal, and has one of each class tried.
   * @param which places in the context's inputs.
   * @returns all classes; behind a signal they are no longer compared.
   */
  async place(which: readonly number[], instants: readonly Instant[]): Promise<PlacementClass[]> {
    const { base, context, source } = this.#start;
    const inputs = which.map((place) => context.inputs[place]);
    const twin = twinFor(inputs, () => {
      this.#twin ??= new Twin(base, source.makeGuest().machine, context.feed);
      return this.#twin;
    });
    const classes: PlacementClass[] = [];
    let planned = 0;
    for (const found of placementClasses(base, twin, inputs, instants)) {
      classes.push(found);
      planned += found.members.length;
      if (found.kind === 'held') this.add({ kind: 'placement', which, at: found.runAt });
      if (classes.length % 16 === 0) await turn();
      if (this.stop.isRaised || this.#dispatcher.hasFailed) break;
    }
    // What nobody will try any more needs no comparison.
    const left = instants.slice(planned);
    if (left.length > 0) classes.push(...placementClasses(base, null, inputs, left));
    return classes;
  }

  /** Waits for what was added. True where a signal came first. @throws what a worker threw. */
  async finish(): Promise<boolean> {
    await this.#dispatcher.finish();
    this.stop.release();
    const seconds = (performance.now() - this.#began) / 1000;
    const { runs } = this.#dispatcher;
    if (this.stop.isRaised) {
      this.#state.save(this.results);
      process.stderr.write(
        `holdoff: stopped after ${plural(this.results.runs, 'run')}; the same with --resume goes on\n`,
      );
      return true;
    }
    if (this.#isResumed) this.#state.remove();
    process.stderr.write(
      `holdoff: ${plural(runs, 'run')} in ${seconds.toFixed(1)} s, ${groupDigits(Math.round(runs / seconds))} a second\n`,
    );
    return false;
  }

  /** Writes a trace of each run into a folder; their paths. @param runs each by what was placed in it. */
  writeTraces(folder: string, runs: readonly (readonly ScheduledInput[])[]): string[] {
    makeFolder(folder);
    return runs.map((placed, place) => {
      const path = join(folder, `failure-${place + 1}.trace`);
      const { start } = this.#start.source;
      writeEvents(OutputFile.create(path), start, this.#record(placed).past.events);
      return path;
    });
  }

  #record(placed: readonly ScheduledInput[]): ScheduledRun {
    const { run } = this.#start;
    const together = placed.filter(({ at }) => at === placed[0].at);
    const behind = placed.slice(together.length);
    const first = together.length === 0 ? run : this.#recordFrom(run, together);
    return behind.length === 0 ? first : this.#recordFrom(first, behind);
  }

  #recordFrom({ past }: ScheduledRun, placed: readonly ScheduledInput[]): ScheduledRun {
    const { source, verdicts, context } = this.#start;
    return runFromReset(source.makeGuest(), {
      past,
      schedule: withInputs(past.inputs, placed),
      feed: context.feed,
      verdicts,
      budget: placed[0].at + context.budget,
    });
  }
}
