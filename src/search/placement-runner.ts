/** Tries placements, one run each, from a copy-on-write checkpoint of the base run. */
import type { TraceEvent } from '../replay/event.js';
import type { Instant } from '../replay/instant.js';
import { BaseRun } from './base-run.js';
import type { Guest } from './guest.js';
import { RecordedPast, type ScheduledInput, withInputs } from './schedule.js';
import { type Feed, ScheduleSource } from './schedule-source.js';
import type { ScheduledRun } from './scheduled-run.js';
import type { SerialLog } from './serial-log.js';
import { runTrial, type TrialOptions, type TrialResult } from './trial.js';
import type { CompiledVerdicts } from './verdict.js';

/** How placements are tried. */
export interface PlacementOptions {
  readonly verdicts: CompiledVerdicts;
  /** Instructions from the last placement on. */
  readonly budget: number;
  readonly feed: Feed;
}

/** One machine that tries placements; cheapest in the order of their instants. */
export class PlacementRunner {
  readonly base: BaseRun;
  readonly #serial: SerialLog;
  readonly #options: PlacementOptions;

  private constructor(base: BaseRun, serial: SerialLog, options: PlacementOptions) {
    this.base = base;
    this.#serial = serial;
    this.#options = options;
  }

  /** @param guest at its start; it is the runner's from now on. */
  static of(guest: Guest, run: ScheduledRun, options: PlacementOptions): PlacementRunner {
    // Once and for all: decoded code is dropped when they change.
    guest.machine.cpu.breakpoints = options.verdicts.breakpoints;
    return new PlacementRunner(new BaseRun(guest.machine, run.past), run.serial, options);
  }

  /** What comes of inputs. @param placed all at one instant of the base run. */
  try(placed: readonly ScheduledInput[]): TrialResult {
    this.#seek(placed[0].at);
    const here = this.base.mark();
    const result = this.#run(placed, {});
    this.base.back(here);
    return result;
  }

  /**
   * Has the run with an input be the base run of another runner on the same machine, for as long as `use`
   * takes.
   * @returns what `use` does.
   */
  with<T>(placed: ScheduledInput, use: (runner: PlacementRunner, end: Instant) => T): T {
    const { base } = this;
    const { machine, past } = base;
    this.#seek(placed.at);
    const here = base.mark();
    const { position } = base;
    const events: TraceEvent[] = [];
    const serial = this.#serial.before(placed.at);
    machine.onSerialOutput = (byte) => serial.add(machine.cpu.instant, byte);
    const { finding, end } = this.#run([placed], { record: events, isTransient: true });
    machine.onSerialOutput = () => undefined;
    base.back(here);
    const all = [...past.events.slice(0, position), ...events.filter(({ kind }) => kind !== 'end')];
    const branch = base.branch(new RecordedPast(all, end, past.begin));
    try {
      // A verdict that is known already is not found again from its own instant.
      const last = finding === null ? end : end - 1;
      return use(new PlacementRunner(branch, serial, this.#options), last);
    } finally {
      base.rejoin(placed.at);
    }
  }

  #seek(at: Instant): void {
    if (!this.base.seek(at)) throw new Error(`the base run ends before @${at}`);
  }

  /** Runs from the present state, which must be brought back. */
  #run(placed: readonly ScheduledInput[], how: Partial<TrialOptions>): TrialResult {
    const { machine, past, position, instant } = this.base;
    const { verdicts, budget, feed } = this.#options;
    const schedule = withInputs(past.inputsFrom(position), placed);
    const source = new ScheduleSource(past, schedule, feed, { reads: past.readsBefore(position) });
    return runTrial(machine, source, {
      verdicts,
      budget,
      line: this.#serial.lineAt(instant),
      takenAt: past.lastAccept(position),
      ...(verdicts.scripts.length > 0 ? { prefix: past.events.slice(0, position) } : {}),
      ...how,
    });
  }
}
