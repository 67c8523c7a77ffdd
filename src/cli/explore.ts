/** `holdoff explore`: places an event at every instant of a range, and maps what comes of it. */
import { join } from 'node:path';
import { supportsColor } from 'chalk';
import { formatInstant, type Instant } from '../replay/instant.js';
import { BaseRun } from '../search/base-run.js';
import { type Exploration, summariseExploration } from '../search/exploration.js';
import { type PlacementClass, placementClasses } from '../search/placement-classes.js';
import { type PlacedInput, withInput } from '../search/schedule.js';
import { runFromReset } from '../search/scheduled-run.js';
import { searchBase } from '../search/search-base.js';
import type { TrialResult } from '../search/trial.js';
import { Twin } from '../search/twin.js';
import { compileVerdicts } from '../search/verdict.js';
import { scriptAsker } from './bad-script.js';
import { STATUS_INTERRUPTED, STATUS_OK } from './errors.js';
import { explorationJson } from './explore-json.js';
import { type ExploreNames, renderMap, renderTotals } from './explore-view.js';
import type { MachineOptions } from './machine-options.js';
import { plural } from './numbers.js';
import { placementInstants, type RangeOptions } from './placement-range.js';
import { Progress } from './progress.js';
import { ProgressBar } from './progress-bar.js';
import { expectRedis, type RedisAddress } from './redis-address.js';
import { localCrew, type SearchCrew } from './search-crew.js';
import { dispatch } from './search-dispatch.js';
import { searchInput, verdictsOrOutcome } from './search-input.js';
import {
  type EventOptions,
  inputText,
  placedInput,
  type VerdictOptions,
} from './search-options.js';
import { SearchState } from './search-state.js';
import type { SearchContext } from './search-work.js';
import { StopSignal, turn } from './stop-signal.js';
import { makeFolder, OutputFile, writeEvents } from './trace-file.js';

/** What `holdoff explore` may be told. */
export type ExploreOptions = MachineOptions &
  VerdictOptions &
  EventOptions &
  RangeOptions & {
    readonly out?: string;
    readonly json?: true;
    readonly workers: number;
    readonly queue?: RedisAddress;
    readonly resume?: true;
  };

/** Explores; the exit status. */
export async function explore(path: string | undefined, options: ExploreOptions): Promise<number> {
  const input = placedInput(options);
  const source = searchInput(path, options);
  const specs = verdictsOrOutcome(options.verdicts, source.outcome);
  const verdicts = compileVerdicts(specs, source.symbols, scriptAsker(source.start));
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
  progress.clear();
  const context: SearchContext = {
    start: source.start,
    events: run.past.events,
    lastInstant: run.past.lastInstant,
    begin: run.past.begin,
    serial: { instants: run.serial.instants, bytes: run.serial.bytes },
    verdicts: specs,
    budget,
    feed,
    input,
  };
  const results = new Map<Instant, TrialResult>();
  const wanted = classes.filter(({ kind }) => kind !== 'lost').map(({ runAt }) => runAt);
  const state = new SearchState(context, instants);
  if (options.resume === true && !state.load(results)) {
    process.stderr.write('holdoff: nothing of this search was left behind; it begins anew\n');
  }
  await tryAll(wanted, results, context, options, stop);
  stop.release();
  if (stop.isRaised) {
    state.save(results);
    process.stderr.write(
      `holdoff: stopped after ${results.size} of ${wanted.length} runs; the same with --resume goes on\n`,
    );
  } else if (options.resume === true) state.remove();

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

/** BullMQ is loaded for those who use it. */
async function hireQueue(context: SearchContext, queue: RedisAddress): Promise<SearchCrew> {
  await expectRedis(queue);
  const { queueCrew } = await import('./search-queue.js');
  return queueCrew(context, queue);
}

async function tryAll(
  wanted: readonly Instant[],
  results: Map<Instant, TrialResult>,
  context: SearchContext,
  { workers, queue }: Pick<ExploreOptions, 'workers' | 'queue'>,
  stop: StopSignal,
): Promise<void> {
  const left = wanted.filter((at) => !results.has(at)).length;
  if (left === 0) return;
  const hands = Math.min(workers, left);
  const who =
    queue === undefined ? plural(hands, 'worker') : `the queue at ${queue.host}:${queue.port}`;
  process.stderr.write(`holdoff: ${plural(left, 'run')} on ${who}\n`);
  const crew = queue === undefined ? localCrew(context, hands) : await hireQueue(context, queue);
  const bar = new ProgressBar(process.stderr, 'runs', () => performance.now());
  try {
    await dispatch(wanted, results, crew, stop, bar);
  } finally {
    bar.clear();
    await crew.close();
  }
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
