/**
 * A shorter run with the same verdict: the fewest events, nothing behind the verdict, and the latest state
 * to begin with, which is the one before the first event that is left.
 */
import { UserError } from '../machine/user-error.js';
import {
  CheckpointMaker,
  type CheckpointRecord,
  noClockValues,
} from '../replay/checkpoint-record.js';
import type { TraceEvent } from '../replay/event.js';
import type { Instant } from '../replay/instant.js';
import { BaseRun } from './base-run.js';
import type { BisectOptions } from './bisect.js';
import type { Guest, GuestMaker } from './guest.js';
import { minimise } from './minimise.js';
import type { RecordedPast, ScheduledInput } from './schedule.js';
import { ScheduleRunner } from './schedule-runner.js';
import { runFromReset } from './scheduled-run.js';
import type { Finding } from './verdict-watch.js';

/** What is left of a trace. */
export interface ShrunkRun {
  readonly finding: Finding;
  /** The events from `checkpoint` on, the last of them an end. */
  readonly events: readonly TraceEvent[];
  /** The state that it begins with; null where that is what the trace began with. */
  readonly checkpoint: CheckpointRecord | null;
  readonly begins: Instant;
  readonly ends: Instant;
  readonly inputs: { readonly before: number; readonly after: number };
}

/** A run begins so many steps before its first event, so that one sees where that comes. */
const LEAD_STEPS = 64;

/**
 * Shrinks. Yields between runs.
 * @param makeLoaded makes a guest with its images loaded, whatever the trace begins with.
 * @throws UserError where the run isn't bad.
 */
export function* shrink(
  makeGuest: GuestMaker,
  makeLoaded: GuestMaker,
  past: RecordedPast,
  options: BisectOptions,
): Generator<undefined, ShrunkRun> {
  const { verdicts, feed } = options;
  const budget = past.lastInstant + options.budget;
  const runner = new ScheduleRunner(makeGuest(), { past, verdicts, feed, budget });
  const { finding } = runner.try(past.inputs);
  if (finding === null) throw new UserError('the run is good: no verdict holds in it');
  const isSame = (part: readonly ScheduledInput[]): boolean =>
    runner.try(part).finding?.verdict === finding.verdict;
  const before = past.inputs.filter(({ at }) => at <= finding.at);
  const inputs = isSame(before) ? yield* minimise(before, isSame) : past.inputs;
  const whole = runFromReset(makeGuest(), { past, schedule: inputs, feed, verdicts, budget });
  const first = Math.min(inputs.at(0)?.at ?? whole.past.lastInstant, whole.past.lastInstant);
  const guest = makeGuest();
  const begins = Math.max(guest.machine.cpu.instant, first - LEAD_STEPS);
  const isLater = begins > guest.machine.cpu.instant;
  const late = isLater ? stateAt(guest, makeLoaded(), whole.past, begins) : null;
  return {
    finding: whole.result.finding!,
    events: whole.past.events.slice(late?.position ?? 0),
    checkpoint: late?.checkpoint ?? null,
    begins,
    ends: whole.past.lastInstant,
    inputs: { before: past.inputs.length, after: inputs.length },
  };
}

/** The state at an instant of a run as a trace can begin with it, and how many events lie before it. */
function stateAt(
  guest: Guest,
  loaded: Guest,
  past: RecordedPast,
  at: Instant,
): { checkpoint: CheckpointRecord; position: number } {
  const base = new BaseRun(guest.machine, past);
  base.seek(at);
  // What is injected at that instant belongs to the trace: the state is the one before.
  const position = past.events.findIndex((event) => event.at >= at);
  const clocks = { ...(past.begin?.clocks ?? noClockValues()) };
  for (const event of past.events.slice(0, position)) {
    if (event.kind === 'clock') clocks[event.source] = event.value;
  }
  const maker = new CheckpointMaker(loaded.machine);
  for (const [page, bytes] of differentPages(guest, loaded)) {
    loaded.machine.cpu.core.physical.load(page, bytes);
  }
  loaded.machine.restore(guest.machine.save());
  return { checkpoint: maker.make(clocks), position };
}

function* differentPages(from: Guest, to: Guest): Generator<readonly [number, Uint8Array]> {
  const [ours, theirs] = [from, to].map(({ machine }) => machine.cpu.core.physical.ram);
  for (let start = 0; start < ours.length; start += 4096) {
    const bytes = ours.subarray(start, start + 4096);
    if (Buffer.compare(bytes, theirs.subarray(start, start + 4096)) !== 0) yield [start, bytes];
  }
}
