/** Whole runs from reset under a schedule, with all that was recorded of them. */
import type { TraceEvent } from '../replay/event.js';
import type { Guest } from './guest.js';
import { RecordedPast, type ScheduledInput } from './schedule.js';
import { type Feed, FROM_RESET, ScheduleSource } from './schedule-source.js';
import { SerialLog } from './serial-log.js';
import { runTrial, type TrialResult } from './trial.js';
import type { CompiledVerdicts } from './verdict.js';

/** What a run is made of, and how it is judged. */
export interface RunOptions {
  /** Whose clock readings the run gets as long as it asks for them. */
  readonly past: RecordedPast;
  readonly schedule: readonly ScheduledInput[];
  readonly feed: Feed;
  readonly verdicts: CompiledVerdicts;
  /** Instructions after which it is over. */
  readonly budget: number;
}

/** A run that is over. */
export interface ScheduledRun {
  readonly past: RecordedPast;
  readonly serial: SerialLog;
  readonly result: TrialResult;
}

/** Runs a guest, which must be at its start, and records it to the verdict, its end or the budget. */
export function runFromReset(guest: Guest, options: RunOptions): ScheduledRun {
  const { machine } = guest;
  const { verdicts, budget } = options;
  const events: TraceEvent[] = [];
  const serial = new SerialLog();
  machine.cpu.breakpoints = verdicts.breakpoints;
  machine.onSerialOutput = (byte) => serial.add(machine.cpu.instant, byte);
  const source = new ScheduleSource(options.past, options.schedule, options.feed, FROM_RESET);
  const result = runTrial(machine, source, { verdicts, budget, record: events });
  machine.onSerialOutput = () => undefined;
  machine.observer = null;
  return {
    past: new RecordedPast(events, machine.cpu.instant, options.past.begin),
    serial,
    result,
  };
}
