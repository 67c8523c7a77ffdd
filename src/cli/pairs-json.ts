/** What `holdoff explore --pairs --json` prints. */
import type { Instant } from '../replay/instant.js';
import type { FirstRow, PairExploration, PairRow } from '../search/pair-exploration.js';
import type { ScheduledInput } from '../search/schedule.js';
import { symbolText } from './disassembly.js';
import { boundaryJson, findingJson } from './explore-json.js';
import type { ExploreNames } from './explore-view.js';
import { inputText } from './search-options.js';

/** The whole of it, as an object. @param traces of each failure the trace that was written, or null. */
export function pairsJson(
  { inputs, rows, failures, totals }: PairExploration,
  names: ExploreNames,
  moved: Instant | null,
  traces: readonly (string | null)[],
): object {
  const texts = inputs.map(inputText);
  return {
    events: texts,
    moved,
    totals,
    failures: failures.map(({ finding, placed, runs, takesBoth }, place) => ({
      ...findingJson(finding, names),
      placed: placed.map(placedJson),
      runs,
      takesBoth,
      trace: traces[place] ?? null,
    })),
    firsts: rows.map((row) => ({
      event: texts[row.first],
      ...boundaryJson(row.boundary, names),
      alone: row.alone,
      runAt: row.runAt,
      unknown: row.unknown,
      pairs: row.pairs.map((pair) => pairJson(row, pair)),
    })),
  };

  function pairJson(row: FirstRow, { boundary, mark, placed, pruning, ...rest }: PairRow): object {
    return {
      event: texts[row.first === 0 ? 1 : 0],
      instant: boundary.at,
      eip: boundary.linear,
      symbol: symbolText(names.symbols, boundary.linear),
      mark,
      pruning,
      placed: placed.map(placedJson),
      failure: rest.failure,
      explainedBy: rest.explainedBy,
    };
  }
}

function placedJson({ at, input }: ScheduledInput): object {
  return { event: inputText(input), instant: at };
}
