/**
 * holdoff as a peer of the benchmarks: what the verbs run, record and replay do, with the time of each
 * line that the guest prints. `run IMAGE [OPTION...]`, `record IMAGE TRACE [OPTION...]`, where the options
 * are as on the command line, or `replay TRACE`. Prints the trace's size in the end.
 */
import { Command } from 'commander';
import { lowerHelperThreads } from '../../src/cli/helper-threads.js';
import { imagesOption } from '../../src/cli/image-options.js';
import { liveSource } from '../../src/cli/live-source.js';
import { addMachineOptions, type MachineOptions } from '../../src/cli/machine-options.js';
import { setUp, startFromOptions } from '../../src/cli/machine-setup.js';
import { SliceLength } from '../../src/cli/slice-length.js';
import { turn } from '../../src/cli/stop-signal.js';
import { OutputFile, openTraceFile } from '../../src/cli/trace-file.js';
import { startFromTrace } from '../../src/cli/trace-images.js';
import type { Machine } from '../../src/machine/machine.js';
import { StreamCursor } from '../../src/replay/event-cursor.js';
import { Recorder } from '../../src/replay/recorder.js';
import { Replayer } from '../../src/replay/replayer.js';
import { Session } from '../../src/replay/session.js';
import { TraceWriter } from '../../src/replay/trace-format.js';
import { LineStamps } from './stamps.js';

/** As `holdoff record` does. */
const FLUSH_MILLISECONDS = 50;

lowerHelperThreads();
const stamps = new LineStamps();

function listen(machine: Machine): void {
  machine.onSerialOutput = (byte) => stamps.take(byte);
}

async function live(
  image: string,
  tracePath: string | null,
  options: MachineOptions,
): Promise<void> {
  const start = startFromOptions(image, options);
  const { machine } = setUp(start, options.engine);
  const file = tracePath === null ? null : OutputFile.create(tracePath);
  const writer = file === null ? null : new TraceWriter((bytes) => file.write(bytes), start);
  const headerBytes = file?.bytes ?? 0;
  const session = new Session(machine, liveSource(start.machine), {
    recorder: writer === null ? null : new Recorder(machine, writer),
    maxInstructions: options.maxInstructions,
  });
  listen(machine);
  const slice = new SliceLength();
  let flushedAt = 0;
  for (;;) {
    const began = performance.now();
    const result = session.slice(slice.steps);
    const now = performance.now();
    if (typeof result === 'object') break;
    slice.took(now - began);
    if (now - flushedAt >= FLUSH_MILLISECONDS) {
      flushedAt = now;
      writer?.flush(machine.cpu.instant);
    }
    const wait = session.waitNanoseconds / 1e6;
    if (result === 'waiting' && wait >= 2) {
      await new Promise((resolve) => setTimeout(resolve, Math.floor(wait) - 1));
    } else await turn();
  }
  finish(machine, file === null ? null : { file: file.bytes, events: file.bytes - headerBytes });
  file?.close();
}

async function replay(path: string): Promise<void> {
  const trace = openTraceFile(path);
  const { machine } = setUp(startFromTrace(trace, path));
  const replayer = new Replayer(machine, new StreamCursor(trace.events), trace.lastInstant);
  replayer.attach();
  listen(machine);
  const slice = new SliceLength();
  for (;;) {
    const began = performance.now();
    const exit = replayer.advance(machine.cpu.instant + slice.steps);
    if (exit === 'end') break;
    if (exit === 'divergence') throw new Error(`the replay of ${path} diverged`);
    slice.took(performance.now() - began);
    await turn();
  }
  finish(machine, null);
}

/** @param trace how large it is, and without its header and images. */
function finish(machine: Machine, trace: { file: number; events: number } | null): void {
  const bytes = { traceBytes: trace?.file ?? null, eventBytes: trace?.events ?? null };
  process.stdout.write(`${JSON.stringify({ retired: machine.cpu.retired, ...bytes })}\n`);
}

const program = new Command();
program.command('replay <trace>').action(replay);
addMachineOptions(program.command('run <image>')).action((image: string, options: MachineOptions) =>
  live(image, null, options),
);
addMachineOptions(program.command('record <image> <trace>'))
  .addOption(imagesOption())
  .action((image: string, trace: string, options: MachineOptions) => live(image, trace, options));
await program.parseAsync();
