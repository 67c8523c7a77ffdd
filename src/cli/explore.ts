/** `holdoff explore`: places an event at every instant of a range, and maps what comes of it. */
import { supportsColor } from 'chalk';
import { UserError } from '../machine/user-error.js';
import { formatInstant } from '../replay/instant.js';
import { type Exploration, summariseExploration } from '../search/exploration.js';
import type { PlacedInput, ScheduledInput } from '../search/schedule.js';
import { STATUS_INTERRUPTED, STATUS_OK } from './errors.js';
import { explorationJson } from './explore-json.js';
import type { ExploreOptions } from './explore-options.js';
import { type ExploreNames, renderMap, renderTotals } from './explore-view.js';
import { expectRedis } from './redis-address.js';
import { inputText, placedInput } from './search-options.js';
import { SearchRun, searchStart } from './search-run.js';

/** Explores; the exit status. */
export async function explore(path: string | undefined, options: ExploreOptions): Promise<number> {
  const input = placedInput(options);
  if (options.within !== undefined) throw new UserError('--within is for --pairs; leave it out');
  if (options.queue !== undefined) await expectRedis(options.queue);
  const start = searchStart(path, options, [input]);
  const { instants, names, moved } = start;
  const search = new SearchRun(start, options, instants, instants.length);
  const classes = await search.place([0], instants);
  const isStopped = await search.finish();
  const exploration = summariseExploration(classes, search.results.placements([0]));
  const failing = exploration.failures.map(({ runAt }) => [{ at: runAt, input }]);
  const traces = options.out === undefined ? [] : search.writeTraces(options.out, failing);
  print(exploration, names, { input, moved, isJson: options.json === true }, traces);
  return isStopped ? STATUS_INTERRUPTED : STATUS_OK;
}

/** `The recorded run is bad; its IRQ 0 at @1 is taken away and placed anew.`, with an empty line behind. */
export function movedText(moved: readonly ScheduledInput[]): string {
  if (moved.length === 0) return '';
  const what = moved.map(({ at, input }) => `${inputText(input)} at ${formatInstant(at)}`);
  const verb = moved.length === 1 ? 'is' : 'are';
  return `The recorded run is bad; its ${what.join(' and its ')} ${verb} taken away and placed anew.\n\n`;
}

function print(
  exploration: Exploration,
  names: ExploreNames,
  what: { input: PlacedInput; moved: readonly ScheduledInput[]; isJson: boolean },
  traces: readonly string[],
): void {
  const { moved } = what;
  const event = inputText(what.input);
  if (what.isJson) {
    const extra = { event, moved: moved.at(0)?.at ?? null };
    const json = explorationJson(exploration, names, extra, traces);
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
    return;
  }
  process.stdout.write(movedText(moved));
  process.stdout.write(
    renderMap(exploration, names, supportsColor !== false && process.stdout.isTTY),
  );
  process.stdout.write(`\n${renderTotals(exploration, names)}`);
  for (const trace of traces) process.stdout.write(`trace     ${trace}\n`);
}
