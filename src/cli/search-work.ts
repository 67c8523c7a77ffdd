/** The work of a search in items that any thread or machine can do. */

import type { ClocksAt } from '../replay/diversion.js';
import type { TraceEvent } from '../replay/event.js';
import type { Instant } from '../replay/instant.js';
import type { TraceStart } from '../replay/trace-format.js';
import { PlacementRunner } from '../search/placement-runner.js';
import { type PlacedInput, RecordedPast } from '../search/schedule.js';
import type { Feed } from '../search/schedule-source.js';
import type { ScheduledRun } from '../search/scheduled-run.js';
import { type SecondClass, SecondPlacements } from '../search/second-placements.js';
import { SerialLog } from '../search/serial-log.js';
import type { TrialResult } from '../search/trial.js';
import { compileVerdicts, type VerdictSpec } from '../search/verdict.js';
import { scriptAsker } from './bad-script.js';
import { setUp } from './machine-setup.js';
import type { SearchInput } from './search-input.js';

/** All that a worker must know before its first piece: plain data. */
export interface SearchContext {
  readonly start: TraceStart;
  /** The base run: its events, and what it sent to its serial port. */
  readonly events: readonly TraceEvent[];
  readonly lastInstant: Instant;
  readonly begin: ClocksAt | undefined;
  readonly serial: { readonly instants: readonly Instant[]; readonly bytes: readonly number[] };
  readonly verdicts: readonly VerdictSpec[];
  readonly budget: number;
  readonly feed: Feed;
  /** What is placed: work names them by their places here. */
  readonly inputs: readonly PlacedInput[];
}

/** How runs are judged, and what is placed. */
export type SearchTerms = Pick<SearchContext, 'verdicts' | 'budget' | 'feed' | 'inputs'>;

/** The context of a search that departs from a run. */
export function searchContext(
  { start }: Pick<SearchInput, 'start'>,
  { past, serial }: ScheduledRun,
  terms: SearchTerms,
): SearchContext {
  const { events, lastInstant, begin } = past;
  const { verdicts, budget, feed, inputs } = terms;
  const { instants, bytes } = serial;
  return {
    start,
    events,
    lastInstant,
    begin,
    serial: { instants, bytes },
    verdicts,
    budget,
    feed,
    inputs,
  };
}

/** One run: these inputs at an instant of the base run. */
export interface PlacementItem {
  readonly kind: 'placement';
  readonly which: readonly number[];
  readonly at: Instant;
}

/** Many runs: a second input at each instant behind a first one, up to `to`. */
export interface SecondsItem {
  readonly kind: 'seconds';
  readonly first: number;
  readonly second: number;
  readonly at: Instant;
  readonly to: Instant;
}

export type WorkItem = PlacementItem | SecondsItem;

/** Items that one worker does one after the other. */
export type WorkPiece = readonly WorkItem[];

/** What comes of an item: `TrialResult` of a placement, classes of seconds. */
export type ItemResult = TrialResult | readonly SecondClass[];

/** What came of each item of a piece, in its order. */
export type WorkResult = readonly ItemResult[];

/** What does pieces of one search, on one machine. */
export class SearchWorker {
  readonly #runner: PlacementRunner;
  readonly #seconds: SecondPlacements;
  readonly #inputs: readonly PlacedInput[];

  constructor(context: SearchContext) {
    const { machine, image } = setUp(context.start);
    const { symbols } = image;
    const { budget, feed, inputs } = context;
    const ask = scriptAsker(context.start);
    const verdicts = compileVerdicts(context.verdicts, symbols, ask);
    const guest = { machine, symbols };
    this.#runner = PlacementRunner.of(guest, baseOf(context), { verdicts, budget, feed });
    this.#seconds = new SecondPlacements(this.#runner, feed, () => setUp(context.start).machine);
    this.#inputs = inputs;
  }

  /** Does one piece. */
  run(piece: WorkPiece): WorkResult {
    return piece.map((item) => this.#do(item));
  }

  #do(item: WorkItem): ItemResult {
    const inputs = this.#inputs;
    if (item.kind === 'placement') {
      return this.#runner.try(item.which.map((place) => ({ at: item.at, input: inputs[place] })));
    }
    const { first, second, at, to } = item;
    return this.#seconds.try({ first: { at, input: inputs[first] }, input: inputs[second], to });
  }
}

function baseOf({ events, lastInstant, begin, serial }: SearchContext): ScheduledRun {
  const log = new SerialLog();
  serial.instants.forEach((at, place) => log.add(at, serial.bytes[place]));
  return {
    past: new RecordedPast(events, lastInstant, begin),
    serial: log,
    result: { finding: null, end: lastInstant, outcome: null },
  };
}
