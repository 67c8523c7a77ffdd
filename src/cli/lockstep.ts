/**
 * `--engine lockstep`: interpreter and compiler side by side. At the first difference it stops with
 * status 2 and shows the instruction and both states.
 */
import { UserError } from '../machine/user-error.js';
import { formatInstant, type Instant } from '../replay/instant.js';
import { Lockstep, type LockstepResult, type Parting } from '../replay/lockstep.js';
import { Timeline } from '../replay/timeline.js';
import type { TraceStart } from '../replay/trace-format.js';
import { STATUS_DIVERGED, STATUS_INTERRUPTED } from './errors.js';
import { GuestConsole } from './guest-console.js';
import type { ImageFolders } from './image-options.js';
import { liveSource } from './live-source.js';
import type { MachineOptions } from './machine-options.js';
import { setUp, startFromOptions } from './machine-setup.js';
import { reportEnd, statusOf } from './outcome.js';
import { presentInstruction } from './present-instruction.js';
import { Progress } from './progress.js';
import { StateWords } from './state-words.js';
import { StopSignal, turn } from './stop-signal.js';
import { openTraceFile } from './trace-file.js';
import { startFromTrace } from './trace-images.js';

/** The engines that are compared, by the names that are printed. */
const PAIR = ['interpreter', 'auto'] as const;

/** Steps before a difference that are shown. */
const TRAIL_STEPS = 12;

/** Replays a trace under both engines; the exit status. */
export async function lockstepTrace(path: string, folders: ImageFolders): Promise<number> {
  const trace = openTraceFile(path);
  const start = startFromTrace(trace, path, folders);
  const events = [...trace.events];
  return await compare(
    PAIR.map((engine) => {
      const { machine } = setUp(start, engine);
      return Timeline.overTrace(machine, [...events], trace.lastInstant);
    }),
  );
}

/**
 * Runs an image under both engines; the exit status.
 * @throws UserError under the host's clock, which no two machines see alike.
 */
export async function lockstepImage(
  path: string | undefined,
  options: MachineOptions,
): Promise<number> {
  if (options.clock === 'host') {
    throw new UserError(
      'two engines cannot share the host clock; give --clock virtual, or record, and replay with --engine lockstep',
    );
  }
  const start: TraceStart = startFromOptions(path, options);
  const { maxInstructions } = options;
  return await compare(
    PAIR.map((engine) => {
      const { machine } = setUp(start, engine);
      return Timeline.live(machine, liveSource(start.machine), { maxInstructions });
    }),
  );
}

async function compare(timelines: readonly Timeline[]): Promise<number> {
  const [first, second] = timelines;
  const progress = new Progress(process.stderr);
  const guest = new GuestConsole(process.stdout, progress);
  first.onSerialOutput = (byte) => guest.write(byte);
  const lockstep = new Lockstep(first, second);
  const stop = new StopSignal();
  let result: LockstepResult = 'equal';
  while (result === 'equal' && !stop.isRaised) {
    result = lockstep.stride();
    guest.flush();
    progress.show(performance.now(), () => `${formatInstant(first.instant)}  both alike`);
    await turn();
  }
  progress.clear();
  stop.release();
  if (typeof result === 'object') {
    report(result, first, second);
    return STATUS_DIVERGED;
  }
  if (result === 'equal') return STATUS_INTERRUPTED;
  const outcome = first.seek(first.instant + 1);
  if (outcome.kind !== 'end' || outcome.outcome === null) return statusOf({ kind: 'incomplete' });
  reportEnd(outcome.outcome, first.instant);
  process.stderr.write('holdoff: both engines did the same\n');
  return statusOf(outcome.outcome);
}

function report(parting: Parting, first: Timeline, second: Timeline): void {
  const { equalAt, at, devices, memory, isRepeated } = parting;
  const words = new StateWords(first.machine).compare(new StateWords(second.machine), PAIR);
  const lines = [
    `the engines differ at ${formatInstant(at)}, and are alike at ${formatInstant(equalAt)}`,
    ...(isRepeated ? [] : ['gone over again they are alike: it depends on what was compiled when']),
    ...words,
    ...devices.map((name) => `device ${name} differs`),
    ...(memory === null
      ? []
      : [
          `physical 0x${memory.physical.toString(16)}: ${PAIR[0]} ${byte(memory.first)}, ${PAIR[1]} ${byte(memory.second)}`,
        ]),
    ...trail(first, at),
  ];
  for (const line of lines) process.stderr.write(`holdoff: ${line}\n`);
}

/** The last instructions before an instant. The compiler's mistake is in one block of them. */
function trail(timeline: Timeline, at: Instant): string[] {
  return Array.from({ length: Math.min(at, TRAIL_STEPS) }, (_, step) => {
    timeline.seek(at - Math.min(at, TRAIL_STEPS) + step);
    const { eip, text } = presentInstruction(timeline.machine, null);
    return `${formatInstant(timeline.instant)} ${(eip >>> 0).toString(16).padStart(8, '0')} ${text}`;
  });
}

function byte(value: number): string {
  return value.toString(16).padStart(2, '0');
}
