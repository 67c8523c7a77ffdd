/** What `holdoff explore --json` prints. */
import { SHADOW_MOV_SS, SHADOW_STI } from '../cpu/state-layout.js';
import type { Instant } from '../replay/instant.js';
import type { Boundary } from '../search/boundary.js';
import type { Exploration, PlacementRow } from '../search/exploration.js';
import { verdictName } from '../search/verdict.js';
import type { Finding } from '../search/verdict-watch.js';
import { symbolText } from './disassembly.js';
import { type ExploreNames, instructionText } from './explore-view.js';

/** Where a run is between two steps. */
interface JsonPlace {
  readonly instant: Instant;
  /** Linear address. */
  readonly eip: number;
  readonly symbol: string | null;
  readonly instruction: string;
  readonly cpl: number;
  readonly if: boolean;
  readonly shadow: 'none' | 'sti' | 'mov-ss';
}

/** One boundary of the map. */
export interface JsonBoundary extends JsonPlace {
  readonly mark: PlacementRow['mark'];
  /** The boundary from which it was run: later than `instant` where it is held off. */
  readonly runAt: Instant;
  /** The place in `failures`; null where that run is good. */
  readonly failure: number | null;
}

/** The whole of it, as an object. @param traces of each failure the trace that was written, or null. */
export function explorationJson(
  exploration: Exploration,
  names: ExploreNames,
  extra: { readonly event: string; readonly moved: Instant | null },
  traces: readonly (string | null)[],
): object {
  const { rows, failures, totals, firstBad, lastBad } = exploration;
  const boundary = (row: PlacementRow): JsonBoundary => jsonBoundary(row, names);
  return {
    ...extra,
    totals,
    firstBad: firstBad === null ? null : boundary(firstBad),
    lastBad: lastBad === null ? null : boundary(lastBad),
    failures: failures.map(({ finding, runAt, runs }, place) => ({
      ...findingJson(finding, names),
      placedAt: runAt,
      runs,
      trace: traces[place] ?? null,
    })),
    boundaries: rows.map(boundary),
  };
}

function jsonBoundary(row: PlacementRow, names: ExploreNames): JsonBoundary {
  const { boundary, mark, runAt, failure } = row;
  return { ...boundaryJson(boundary, names), mark, runAt, failure };
}

/** Why runs are bad. */
export function findingJson(finding: Finding, { symbols, verdicts }: ExploreNames): object {
  return {
    verdict: verdictName(verdicts[finding.verdict]),
    what: finding.what,
    instant: finding.at,
    eip: finding.eip,
    symbol: symbolText(symbols, finding.eip),
  };
}

/** A boundary, as `--json` has it. */
export function boundaryJson(boundary: Boundary, { symbols }: ExploreNames): JsonPlace {
  const { at, linear, cpl, isInterruptible, shadow } = boundary;
  return {
    instant: at,
    eip: linear,
    symbol: symbolText(symbols, linear),
    instruction: instructionText(boundary, symbols),
    cpl,
    if: isInterruptible,
    shadow: shadow === SHADOW_STI ? 'sti' : shadow === SHADOW_MOV_SS ? 'mov-ss' : 'none',
  };
}
