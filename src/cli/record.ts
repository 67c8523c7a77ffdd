/** `holdoff record`: a live run, and a trace of it on disk. */
import { type PlacedInput, PlacedInputs } from '../replay/clock/placed-inputs.js';
import { Recorder } from '../replay/recorder.js';
import { Session } from '../replay/session.js';
import { TraceWriter } from '../replay/trace-format.js';
import type { VerdictSpec } from '../search/verdict.js';
import { reportLeft } from './inject-option.js';
import { runToEnd } from './live-run.js';
import { liveSource } from './live-source.js';
import type { MachineOptions } from './machine-options.js';
import { setUp, startFromOptions, startPath } from './machine-setup.js';
import { plural } from './numbers.js';
import { reportEnd, statusOf } from './outcome.js';
import { OutputFile } from './trace-file.js';
import { reportViolations } from './violation-report.js';

/** A recorder that is killed loses at most so much of the past. */
const FLUSH_MILLISECONDS = 50;

/** What `holdoff record` may be told beside the machine's options. */
export type RecordOptions = MachineOptions & {
  readonly output?: string;
  /** Steps between two checkpoints in the trace; none where absent. */
  readonly checkpointEvery?: number;
  readonly untilBad?: true;
  /** With `untilBad`: how many runs, with how many interrupts each, of how many instructions. */
  readonly runs: number;
  readonly points: number;
  readonly budget: number;
  readonly verdicts: readonly VerdictSpec[];
  /** Events from outside, beside those of the clock. */
  readonly inject?: readonly PlacedInput[];
};

/** Records the image; the exit status. */
export async function record(image: string | undefined, options: RecordOptions): Promise<number> {
  const start = startFromOptions(image, options);
  const { machine, image: loaded, hypervisor } = setUp(start, options.engine);
  reportViolations(hypervisor);
  // Only now: a broken image leaves no trace behind.
  const file =
    options.output === undefined
      ? OutputFile.createFor(startPath(image, options))
      : OutputFile.create(options.output);
  try {
    const loadAddress = loaded.kind === 'flat' ? loaded.entry : null;
    const writer = new TraceWriter((bytes) => file.write(bytes), { ...start, loadAddress });
    const recorder = new Recorder(machine, writer);
    if (options.checkpointEvery !== undefined) {
      recorder.keepCheckpoints(writer, options.checkpointEvery);
    }
    const source = new PlacedInputs(liveSource(start.machine), options.inject ?? []);
    const session = new Session(machine, source, {
      recorder,
      maxInstructions: options.maxInstructions,
    });
    let flushedAt = 0;
    const outcome = await runToEnd(session, machine, options, (now) => {
      if (now - flushedAt < FLUSH_MILLISECONDS || session.outcome !== null) return;
      flushedAt = now;
      writer.flush(machine.cpu.instant);
    });
    reportEnd(outcome, machine.cpu.instant);
    reportLeft(source, machine.cpu.instant);
    process.stderr.write(`holdoff: wrote ${file.path}: ${plural(file.bytes, 'byte')}\n`);
    return statusOf(outcome);
  } finally {
    file.close();
  }
}
