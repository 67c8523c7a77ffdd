/** `holdoff explore --pairs`: places two events at all pairs of instants of a range. */
import { supportsColor } from 'chalk';
import { UserError } from '../machine/user-error.js';
import type { Instant } from '../replay/instant.js';
import { secondsOf, summarisePairs, type Which } from '../search/pair-exploration.js';
import { isSameInput } from '../search/schedule.js';
import { STATUS_INTERRUPTED, STATUS_OK } from './errors.js';
import { movedText } from './explore.js';
import type { ExploreOptions } from './explore-options.js';
import { pairsJson } from './pairs-json.js';
import { renderPairs, renderPairTotals } from './pairs-view.js';
import { expectRedis } from './redis-address.js';
import { placedPair } from './search-options.js';
import { SearchRun, searchStart } from './search-run.js';
import type { SecondsItem } from './search-work.js';

/** More are nothing that anybody waits for. */
const PAIRS_MOST = 1_000_000;

/** Explores pairs; the exit status. */
export async function explorePairs(
  path: string | undefined,
  options: ExploreOptions,
): Promise<number> {
  const inputs = placedPair(options);
  if (options.queue !== undefined) await expectRedis(options.queue);
  const start = searchStart(path, options, inputs);
  const { instants: firsts, names, moved, run } = start;
  const orders: readonly Which[] = isSameInput(...inputs) ? [0] : [0, 1];
  const end = run.past.lastInstant;
  const last = firsts[firsts.length - 1];
  const { within } = options;
  const lastOf = (first: Instant): Instant => (within === undefined ? last : first + within);
  const pairs = firsts.reduce((sum, at) => sum + lastOf(at) - at + 1, 0) * orders.length;
  if (pairs > PAIRS_MOST) {
    throw new UserError(
      `these are ${pairs} pairs, and at most ${PAIRS_MOST} are tried; narrow them by --from and --to, or --within`,
    );
  }
  const search = new SearchRun(start, options, [firsts, within ?? null, 'pairs'], pairs);
  const wanted = new Set(firsts);
  const itemOf = (first: Which, at: Instant, to: Instant): SecondsItem => {
    return { kind: 'seconds', first, second: first === 0 ? 1 : 0, at, to };
  };
  const everywhere = union(firsts, lastOf, end);
  const place = async (which: Which): ReturnType<SearchRun['place']> => {
    const classes = await search.place([which], everywhere);
    for (const { at, to } of secondsOf(classes, wanted, lastOf)) search.add(itemOf(which, at, to));
    return classes;
  };
  const first = await place(0);
  const second = orders.length === 1 ? first : await place(1);
  const together = await search.place([0, 1], everywhere);
  const isStopped = await search.finish();

  const resultsOf = (which: readonly number[]): ReturnType<typeof search.results.placements> =>
    search.results.placements(which);
  const alone = [
    { classes: first, results: resultsOf([0]) },
    { classes: second, results: resultsOf(orders.length === 1 ? [0] : [1]) },
  ] as const;
  const exploration = summarisePairs({
    inputs,
    orders,
    firsts,
    lastOf,
    alone,
    together: { classes: together, results: resultsOf([0, 1]) },
    seconds: (which, at) => search.results.seconds(itemOf(which, at, at)),
  });
  const failing = exploration.failures.map(({ placed }) => placed);
  const traces = options.out === undefined ? [] : search.writeTraces(options.out, failing);
  if (options.json === true) {
    const json = pairsJson(exploration, names, moved.at(0)?.at ?? null, traces);
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
  } else {
    const isColoured = supportsColor !== false && process.stdout.isTTY;
    process.stdout.write(movedText(moved));
    process.stdout.write(renderPairs(exploration, names, isColoured));
    process.stdout.write(`\n${renderPairTotals(exploration, names)}`);
    for (const trace of traces) process.stdout.write(`trace     ${trace}\n`);
  }
  return isStopped ? STATUS_INTERRUPTED : STATUS_OK;
}

/** All instants that either input is placed at, ascending. */
function union(
  firsts: readonly Instant[],
  lastOf: (first: Instant) => Instant,
  end: Instant,
): Instant[] {
  const all: Instant[] = [];
  for (const first of firsts) {
    const from = Math.max(first, (all.at(-1) ?? -1) + 1);
    for (let at = from; at <= Math.min(lastOf(first), end); at++) all.push(at);
  }
  return all;
}
