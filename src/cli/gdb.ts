/** `holdoff gdb`: serves a trace, or an image that runs live and is recorded in memory, to gdb. */
import { readFileSync } from 'node:fs';
import { symbolFile } from '../gdbstub/symbol-file.js';
import type { TargetImage } from '../gdbstub/target.js';
import { type TargetSurroundings, TimelineTarget } from '../gdbstub/timeline-target.js';
import { UserError } from '../machine/user-error.js';
import type { Recording } from '../replay/diversion.js';
import type { TraceEvent } from '../replay/event.js';
import { formatInstant } from '../replay/instant.js';
import { StoredCheckpoints } from '../replay/stored-checkpoints.js';
import { Timeline } from '../replay/timeline.js';
import { type TraceStart, TraceWriter } from '../replay/trace-format.js';
import { STATUS_OK } from './errors.js';
import { serveGdb } from './gdb-server.js';
import { GuestConsole, watchStdout } from './guest-console.js';
import type { ImageFolders } from './image-options.js';
import type { ListenAddress } from './listen-address.js';
import { liveSource } from './live-source.js';
import type { MachineOptions } from './machine-options.js';
import { type ReadyMachine, setUp, startFromOptions } from './machine-setup.js';
import { plural } from './numbers.js';
import { packagePath } from './package-root.js';
import { tracePorts } from './port-trace.js';
import { Progress } from './progress.js';
import { StopSignal } from './stop-signal.js';
import { isTraceFile, OutputFile, openTraceFile, writeEvents } from './trace-file.js';
import { startFromTrace } from './trace-images.js';

/** How often the guest's output is passed on. */
const FLUSH_MILLISECONDS = 50;

/** What gdb reads the hypervisor's names from. */
const HYPERVISOR_FILE = 'hypervisor.elf';

interface Served {
  readonly timeline: Timeline;
  readonly surroundings: TargetSurroundings;
  /** Keeps what was recorded so far; null where nothing is kept. */
  readonly saving: LiveSaving | null;
}

/** What `holdoff gdb` may be told beside the machine's options. */
export type GdbOptions = MachineOptions &
  ImageFolders & {
    readonly listen: ListenAddress;
    /** Bytes that the timeline's checkpoints may take. */
    readonly checkpointMemory: number;
    readonly once?: true;
    readonly save?: string;
    readonly printGdbinit?: true;
  };

/** Serves until a signal ends it, or with `once` until the first client has gone; the exit status. */
export async function gdb(path: string | undefined, options: GdbOptions): Promise<number> {
  if (options.printGdbinit === true) {
    process.stdout.write(readFileSync(packagePath('share/holdoff.gdb')));
    return STATUS_OK;
  }
  const { timeline, surroundings, saving } =
    path !== undefined && isTraceFile(path) ? fromTrace(path, options) : fromImage(path, options);
  const server = await serveGdb(new TimelineTarget(timeline, surroundings), {
    ...options.listen,
    once: options.once === true,
    log: (line) => process.stderr.write(`holdoff: ${line}\n`),
  });
  const { address } = server;
  process.stderr.write(
    `holdoff: listening on ${address}; in gdb: target remote ${address}; Ctrl-C ends it\n`,
  );
  const progress = new Progress(process.stderr);
  const guest = new GuestConsole(options.serial === 'stdio' ? process.stdout : null, progress);
  timeline.onSerialOutput = (byte) => guest.write(byte);
  if (options.tracePorts === true) tracePorts(timeline.machine, progress);
  const flushing = setInterval(() => {
    guest.flush();
    saving?.flush(timeline);
  }, FLUSH_MILLISECONDS);
  const stop = new StopSignal(() => server.close());
  watchStdout(() => stop.raise());
  feedSerial(timeline, options);
  await server.closed;
  clearInterval(flushing);
  saving?.end(timeline);
  guest.flush();
  stop.release();
  process.stdin.destroy();
  return STATUS_OK;
}

function fromTrace(path: string, options: GdbOptions): Served {
  if (options.save !== undefined) {
    throw new UserError(
      `--save is for an image that runs live, and ${path} is a trace; leave it out`,
    );
  }
  const trace = openTraceFile(path);
  const start = startFromTrace(trace, path, options);
  const ready = setUp(start, options.engine);
  const timeline = Timeline.overTrace(ready.machine, trace.eventList, trace.lastInstant, {
    checkpointBytes: options.checkpointMemory,
    stored: new StoredCheckpoints(trace),
    first: trace.start,
  });
  return { timeline, surroundings: surroundingsOf(start, ready), saving: null };
}

function fromImage(path: string | undefined, options: GdbOptions): Served {
  const start = startFromOptions(path, options);
  const ready = setUp(start, options.engine);
  const { machine, image } = ready;
  const loadAddress = image.kind === 'flat' ? image.entry : null;
  const saved = { ...start, loadAddress };
  const saving = options.save === undefined ? null : new LiveSaving(options.save, saved);
  const timeline = Timeline.live(machine, liveSource(start.machine, true), {
    checkpointBytes: options.checkpointMemory,
    maxInstructions: options.maxInstructions,
    awaitsSerial: options.serial === 'stdio',
    ...(saving === null ? {} : { onEvent: (event) => saving.event(event) }),
  });
  return { timeline, surroundings: surroundingsOf(saved, ready), saving };
}

function surroundingsOf(start: TraceStart, ready: ReadyMachine): TargetSurroundings {
  const image = programOf(start);
  return {
    symbols: ready.image.symbols,
    ...(image === null ? {} : { image }),
    ...libraryOf(ready),
    saveTrace: (name, recording) => saveTrace(name, start, recording),
  };
}

/** Names for the hypervisor's code, where there is one. */
function libraryOf({ hypervisorCode }: ReadyMachine): Pick<TargetSurroundings, 'library'> {
  if (hypervisorCode === null) return {};
  const bytes = symbolFile(hypervisorCode);
  return { library: { name: HYPERVISOR_FILE, bytes, address: hypervisorCode.first } };
}

/** The kernel, where it is one that gdb can read. */
function programOf({ images }: TraceStart): TargetImage | null {
  const kernel = images.find(({ role }) => role === 'kernel');
  const isElf = kernel !== undefined && Buffer.from(kernel.bytes).indexOf('\x7fELF') === 0;
  return isElf ? { name: kernel.name, bytes: kernel.bytes } : null;
}

/**
 * Writes a trace at a client's word: a new file in the present folder, and nowhere else, whoever the
 * client is.
 */
function saveTrace(name: string, start: TraceStart, { first, events }: Recording): string {
  if (!/^[\w][\w.-]{0,200}$/.test(name)) {
    throw new UserError(`${name}: give a plain file name, of letters, digits, dots and dashes`);
  }
  const file = OutputFile.createNew(name);
  writeEvents(file, first === null ? start : { ...start, checkpoint: first }, events);
  return `wrote ${file.path}: ${plural(file.bytes, 'byte')}, to ${formatInstant(events.at(-1)?.at ?? 0)}`;
}

/** The trace of a live session, written as it goes. */
class LiveSaving {
  readonly #file: OutputFile;
  readonly #writer: TraceWriter;

  constructor(path: string, start: TraceStart) {
    this.#file = OutputFile.create(path);
    this.#writer = new TraceWriter((bytes) => this.#file.write(bytes), start);
  }

  event(event: TraceEvent): void {
    this.#writer.event(event);
  }

  flush(timeline: Timeline): void {
    if (timeline.end === null) this.#writer.flush(timeline.recordedEnd);
  }

  end(timeline: Timeline): void {
    timeline.finish();
    process.stderr.write(
      `holdoff: wrote ${this.#file.path}: ${plural(this.#file.bytes, 'byte')}\n`,
    );
    this.#file.close();
  }
}

/** Standard input is the serial line of a guest that runs live. */
function feedSerial(timeline: Timeline, options: MachineOptions): void {
  const { session } = timeline;
  if (session === null || options.serial !== 'stdio') return;
  const close = (): void => {
    session.awaitsSerial = false;
  };
  process.stdin.on('data', (bytes: Buffer) => session.pushSerial(bytes));
  process.stdin.on('end', close);
  process.stdin.on('error', close);
}
