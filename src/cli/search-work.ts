/** The work of a search in pieces that any thread or machine can do. */

import type { ClocksAt } from '../replay/diversion.js';
import type { TraceEvent } from '../replay/event.js';
import type { Instant } from '../replay/instant.js';
import type { TraceStart } from '../replay/trace-format.js';
import { PlacementRunner } from '../search/placement-runner.js';
import { type PlacedInput, RecordedPast } from '../search/schedule.js';
import type { Feed } from '../search/schedule-source.js';
import type { ScheduledRun } from '../search/scheduled-run.js';
import { SerialLog } from '../search/serial-log.js';
import type { TrialResult } from '../search/trial.js';
import { compileVerdicts, type VerdictSpec } from '../search/verdict.js';
import { scriptAsker } from './bad-script.js';
import { setUp } from './machine-setup.js';

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
  readonly input: PlacedInput;
}

/** Instants at which the context's input is to be placed, ascending. */
export type WorkPiece = readonly Instant[];

/** What came of each placement of a piece, in its order. */
export type WorkResult = readonly TrialResult[];

/** What does pieces of one search, on one machine. */
export class SearchWorker {
  readonly #runner: PlacementRunner;
  readonly #input: PlacedInput;

  constructor(context: SearchContext) {
    const { machine, image } = setUp(context.start);
    const { symbols } = image;
    const { budget, feed, input } = context;
    const ask = scriptAsker(context.start);
    const verdicts = compileVerdicts(context.verdicts, symbols, ask);
    this.#runner = new PlacementRunner({ machine, symbols }, baseOf(context), {
      verdicts,
      budget,
      feed,
    });
    this.#input = input;
  }

  /** Does one piece. */
  run(piece: WorkPiece): WorkResult {
    return piece.map((at) => this.#runner.try(at, this.#input));
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
