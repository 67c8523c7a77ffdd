/** `holdoff gdb`: serves a trace, or an image that runs live and is recorded in memory, to gdb. */
import { TimelineTarget } from '../gdbstub/timeline-target.js';
import type { SymbolTable } from '../machine/symbols.js';
import { Timeline } from '../replay/timeline.js';
import { bytesSource, openTrace } from '../replay/trace-format.js';
import { STATUS_OK } from './errors.js';
import { serveGdb } from './gdb-server.js';
import { GuestConsole, watchStdout } from './guest-console.js';
import type { ListenAddress } from './listen-address.js';
import { liveSource } from './live-source.js';
import type { MachineOptions } from './machine-options.js';
import { setUp, startFromOptions, startFromTrace } from './machine-setup.js';
import { tracePorts } from './port-trace.js';
import { Progress } from './progress.js';
import { StopSignal } from './stop-signal.js';
import { openTraceFile, readInput } from './trace-file.js';

/** How often the guest's output is passed on. */
const FLUSH_MILLISECONDS = 50;

interface Served {
  readonly timeline: Timeline;
  readonly symbols: SymbolTable;
}

/** Serves until a signal ends it, or with `once` until the first client has gone; the exit status. */
export async function gdb(
  path: string | undefined,
  options: MachineOptions & { readonly listen: ListenAddress; readonly once?: true },
): Promise<number> {
  const { timeline, symbols } =
    path !== undefined && isTrace(path) ? fromTrace(path) : fromImage(path, options);
  const server = await serveGdb(new TimelineTarget(timeline, symbols), {
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
  const flushing = setInterval(() => guest.flush(), FLUSH_MILLISECONDS);
  const stop = new StopSignal(() => server.close());
  watchStdout(() => stop.raise());
  feedSerial(timeline, options);
  await server.closed;
  clearInterval(flushing);
  guest.flush();
  stop.release();
  process.stdin.destroy();
  return STATUS_OK;
}

function isTrace(path: string): boolean {
  const opened = openTrace(bytesSource(readInput(path)));
  return opened.isWhole || opened.damage.kind !== 'foreign';
}

function fromTrace(path: string): Served {
  const trace = openTraceFile(path);
  const { machine, image } = setUp(startFromTrace(trace, path));
  const timeline = Timeline.overTrace(machine, [...trace.events], trace.lastInstant);
  return { timeline, symbols: image.symbols };
}

function fromImage(path: string | undefined, options: MachineOptions): Served {
  const start = startFromOptions(path, options);
  const { machine, image } = setUp(start, options.engine);
  const timeline = Timeline.live(machine, liveSource(start.machine, true), {
    maxInstructions: options.maxInstructions,
    awaitsSerial: options.serial === 'stdio',
  });
  return { timeline, symbols: image.symbols };
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
