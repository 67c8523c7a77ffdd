/** `holdoff explore`: places an event at every instant of a range, and maps what comes of it. */
import { join } from 'node:path';
import { supportsColor } from 'chalk';
import { formatInstant, type Instant } from '../replay/instant.js';
import { BaseRun } from '../search/base-run.js';
import { type Exploration, summariseExploration } from '../search/exploration.js';
import { type PlacementClass, placementClasses } from '../search/placement-classes.js';
import { PlacementRunner } from '../search/placement-runner.js';
import { type PlacedInput, withInput } from '../search/schedule.js';
import { runFromReset } from '../search/scheduled-run.js';
import { searchBase } from '../search/search-base.js';
import type { TrialResult } from '../search/trial.js';
import { Twin } from '../search/twin.js';
import { compileVerdicts } from '../search/verdict.js';
import { STATUS_INTERRUPTED, STATUS_OK } from './errors.js';
import { explorationJson } from './explore-json.js';
import { type ExploreNames, renderMap, renderTotals } from './explore-view.js';
import type { MachineOptions } from './machine-options.js';
import { placementInstants, type RangeOptions } from './placement-range.js';
import { Progress } from './progress.js';
import { searchInput, verdictsOrOutcome } from './search-input.js';
import {
  type EventOptions,
  inputText,
  placedInput,
  type VerdictOptions,
} from './search-options.js';
import { StopSignal, turn } from './stop-signal.js';
import { makeFolder, OutputFile, writeEvents } from './trace-file.js';

/** What `holdoff explore` may be told. */
export type ExploreOptions = MachineOptions &
  VerdictOptions &
  EventOptions &
  RangeOptions & { readonly out?: string; readonly json?: true };

/** Explores; the exit status. */
export async function explore(path: string | undefined, options: ExploreOptions): Promise<number> {
  const input = placedInput(options);
  const source = searchInput(path, options);
  const specs = verdictsOrOutcome(options.verdicts, source.outcome);
  const verdicts = compileVerdicts(specs, source.symbols);
  const { budget, then: feed } = options;
  const { makeGuest } = source;
  const { run, moved } = searchBase(makeGuest, source.past, verdicts, feed, input);
  const base = new BaseRun(makeGuest().machine, run.past);
  const instants = placementInstants(base, source.symbols, options, moved?.at ?? null);

  const stop = new StopSignal();
  const progress = new Progress(process.stderr);
  const classes: PlacementClass[] = [];
  const twin = input.kind === 'exception' ? null : new Twin(base, makeGuest().machine, feed);
  let planned = 0;
  for (const found of placementClasses(base, twin, input, instants)) {
    classes.push(found);
    planned += found.members.length;
    progress.show(performance.now(), () => `compared ${planned} of ${instants.length} placements`);
    if (classes.length % 64 === 0) await turn();
    if (stop.isRaised) break;
  }
  const runner = new PlacementRunner(makeGuest(), run, { verdicts, budget, feed });
  const results = new Map<Instant, TrialResult>();
  const wanted = classes.filter(({ kind }) => kind !== 'lost');
  for (const { runAt } of wanted) {
    if (stop.isRaised) break;
    results.set(runAt, runner.try(runAt, input));
    progress.show(performance.now(), () => `ran ${results.size} of ${wanted.length}`);
    await turn();
  }
  progress.clear();
  stop.release();

  const exploration = summariseExploration(classes, results);
  const names: ExploreNames = { symbols: source.symbols, verdicts: specs };
  const traces: string[] = [];
  if (options.out !== undefined) {
    makeFolder(options.out);
    exploration.failures.forEach(({ runAt }, place) => {
      const path = join(options.out!, `failure-${place + 1}.trace`);
      const failing = runFromReset(makeGuest(), {
        past: run.past,
        schedule: withInput(run.past.inputs, { at: runAt, input }),
        feed,
        verdicts,
        budget: runAt + budget,
      });
      writeEvents(OutputFile.create(path), source.start, failing.past.events);
      traces.push(path);
    });
  }
  print(
    exploration,
    names,
    { input, moved: moved?.at ?? null, isJson: options.json === true },
    traces,
  );
  return stop.isRaised ? STATUS_INTERRUPTED : STATUS_OK;
}

function print(
  exploration: Exploration,
  names: ExploreNames,
  what: { input: PlacedInput; moved: Instant | null; isJson: boolean },
  traces: readonly string[],
): void {
  const { moved } = what;
  const event = inputText(what.input);
  if (what.isJson) {
    const json = explorationJson(exploration, names, { event, moved }, traces);
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
    return;
  }
  if (moved !== null) {
    process.stdout.write(
      `The recorded run is bad; its ${event} at ${formatInstant(moved)} is taken away and placed anew.\n\n`,
    );
  }
  process.stdout.write(
    renderMap(exploration, names, supportsColor !== false && process.stdout.isTTY),
  );
  process.stdout.write(`\n${renderTotals(exploration, names)}`);
  traces.forEach((trace) => process.stdout.write(`trace     ${trace}\n`));
}
