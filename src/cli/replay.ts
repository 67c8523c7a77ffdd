/** `holdoff replay`: a trace again, compared with itself at every step of the way. */
import type { EngineKind } from '../cpu/engine/engine.js';
import type { Machine } from '../machine/machine.js';
import { StateDigest } from '../replay/digest.js';
import { type Divergence, formatDivergence } from '../replay/divergence.js';
import { StreamCursor } from '../replay/event-cursor.js';
import { formatInstant, type Instant } from '../replay/instant.js';
import type { Outcome } from '../replay/outcome.js';
import { Replayer } from '../replay/replayer.js';
import { STATUS_DIVERGED, STATUS_INTERRUPTED, STATUS_OK } from './errors.js';
import { GuestConsole, watchStdout } from './guest-console.js';
import type { ImageFolders } from './image-options.js';
import { setUp } from './machine-setup.js';
import { reportEnd, statusOf } from './outcome.js';
import { tracePorts } from './port-trace.js';
import { Progress } from './progress.js';
import { SliceLength } from './slice-length.js';
import { StopSignal, turn } from './stop-signal.js';
import { openTraceFile } from './trace-file.js';
import { startFromTrace } from './trace-images.js';
import { reportViolations } from './violation-report.js';

/** What a replay came to. */
interface ReplayResult {
  /** The last instant reached, and the digest of the state there. */
  readonly instants: Instant;
  readonly digest: string;
  /** Null where the replay stopped before the end of the trace. */
  readonly outcome: Outcome | null;
  readonly divergence: Divergence | null;
  /** Bytes that the guest sent to its serial port. */
  readonly serial: number;
}

/** Replays the trace; the exit status. */
export async function replay(
  path: string,
  options: ImageFolders & {
    readonly engine: EngineKind;
    readonly json?: true;
    readonly to?: Instant;
    readonly tracePorts?: true;
  },
): Promise<number> {
  const trace = openTraceFile(path);
  const { machine, hypervisor } = setUp(startFromTrace(trace, path, options), options.engine);
  reportViolations(hypervisor);
  const replayer = new Replayer(machine, new StreamCursor(trace.events), trace.lastInstant);
  replayer.attach();
  const stop = new StopSignal();
  const until = Math.min(options.to ?? Number.POSITIVE_INFINITY, trace.lastInstant + 1);
  const serial = await advance(machine, replayer, {
    until,
    total: Math.min(options.to ?? Number.POSITIVE_INFINITY, trace.lastInstant),
    isPrinting: options.json !== true,
    tracesPorts: options.tracePorts === true,
    stop,
  });
  stop.release();
  const result: ReplayResult = {
    instants: machine.cpu.instant,
    digest: new StateDigest(machine).compute(),
    outcome: replayer.outcome,
    divergence: replayer.divergence,
    serial,
  };
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  report(result);
  if (result.divergence !== null) return STATUS_DIVERGED;
  if (result.outcome !== null) return statusOf(result.outcome);
  return stop.isRaised ? STATUS_INTERRUPTED : STATUS_OK;
}

/** Replays slice by slice; how many bytes the guest sent. */
async function advance(
  machine: Machine,
  replayer: Replayer,
  how: {
    readonly until: Instant;
    readonly total: Instant;
    readonly isPrinting: boolean;
    readonly tracesPorts: boolean;
    readonly stop: StopSignal;
  },
): Promise<number> {
  const progress = new Progress(process.stderr);
  const guest = new GuestConsole(how.isPrinting ? process.stdout : null, progress);
  if (how.tracesPorts) tracePorts(machine, progress);
  watchStdout(() => how.stop.raise());
  let serial = 0;
  machine.onSerialOutput = (byte) => {
    serial += 1;
    guest.write(byte);
  };
  const slice = new SliceLength();
  while (machine.cpu.instant < how.until && !how.stop.isRaised) {
    const start = performance.now();
    const exit = replayer.advance(Math.min(how.until, machine.cpu.instant + slice.steps));
    guest.flush();
    if (exit === 'end' || exit === 'divergence') break;
    const now = performance.now();
    slice.took(now - start);
    if (guest.isLineStart || !process.stdout.isTTY) {
      progress.show(now, () => {
        const percent = Math.floor((machine.cpu.instant / how.total) * 100);
        return `${formatInstant(machine.cpu.instant)} of ${formatInstant(how.total)}, ${percent} %`;
      });
    }
    await turn();
  }
  progress.clear();
  return serial;
}

function report(result: ReplayResult): void {
  const { divergence, outcome, instants, digest } = result;
  if (divergence !== null) {
    process.stderr.write(`holdoff: ${formatDivergence(divergence)}\n`);
  } else if (outcome !== null) {
    reportEnd(outcome, instants);
    process.stderr.write(`holdoff: the replay is the recorded run: digest ${digest}\n`);
  } else {
    process.stderr.write(`holdoff: stopped at ${formatInstant(instants)}: digest ${digest}\n`);
  }
}
