/**
 * `holdoff demo`: catches the race of guest/window, whose system-call exit has NOPs between STI and
 * SYSEXIT, replays it, and shows the instructions around it.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { supportsColor } from 'chalk';
import type { AcceptEvent, TraceEvent } from '../replay/event.js';
import { StreamCursor } from '../replay/event-cursor.js';
import { formatInstant } from '../replay/instant.js';
import { Recorder } from '../replay/recorder.js';
import { Replayer } from '../replay/replayer.js';
import { Session } from '../replay/session.js';
import { Timeline } from '../replay/timeline.js';
import { type Trace, TraceWriter } from '../replay/trace-format.js';
import { STATUS_DIVERGED, STATUS_ERROR, STATUS_INTERRUPTED, STATUS_OK } from './errors.js';
import { liveSource } from './live-source.js';
import type { MachineOptions } from './machine-options.js';
import { setUp, startFromOptions } from './machine-setup.js';
import { groupDigits, plural } from './numbers.js';
import { packagePath } from './package-root.js';
import { Progress } from './progress.js';
import { SliceLength } from './slice-length.js';
import { StopSignal, turn } from './stop-signal.js';
import { OutputFile, openTraceFile } from './trace-file.js';
import { startFromTrace } from './trace-images.js';
import { collectSteps, elide } from './window-rows.js';
import { renderWindow } from './window-view.js';

const GUEST = 'guest/window/window-padded.elf';
/** The guest's own check found that a task entered user mode with work pending. */
const STATUS_LOST_WORK = 67;
/** About every second seed catches the race; so many misses in a row say that something is wrong. */
const SEEDS_MOST = 40;
const STEPS_BEFORE = 9;
const STEPS_AFTER = 3;
/** Steps before the task's entry into user mode that are shown. */
const EXIT_STEPS = 3;
/** How long after the interrupt the task's entry into user mode is looked for. */
const STEPS_MOST = 400;

/** Runs the demo; the exit status. */
export async function demo(options: { readonly seed: number }): Promise<number> {
  const path = join(mkdtempSync(join(tmpdir(), 'holdoff-demo-')), 'race.trace');
  const stop = new StopSignal();
  print(`Recording ${GUEST} under --clock random until the race strikes.\n`);
  for (let seed = options.seed; seed < options.seed + SEEDS_MOST; seed++) {
    const recording = await record(seed, path, stop);
    if (stop.isRaised) return STATUS_INTERRUPTED;
    print(`  seed ${seed}: ${recording.lastLine}\n`);
    if (recording.status !== STATUS_LOST_WORK) continue;
    const trace = openTraceFile(path);
    if (!replay(trace, path)) return STATUS_DIVERGED;
    show(trace, path);
    return STATUS_OK;
  }
  process.stderr.write(`holdoff: no race with ${SEEDS_MOST} seeds; try another --seed\n`);
  return STATUS_ERROR;
}

/** Records one run; the guest's status and what it said last. */
async function record(
  seed: number,
  path: string,
  stop: StopSignal,
): Promise<{ status: number; lastLine: string }> {
  const machineOptions: MachineOptions = {
    memory: 16 << 20,
    clock: 'random',
    seed,
    maxInstructions: Number.POSITIVE_INFINITY,
    serial: 'null',
    engine: 'auto',
  };
  const start = startFromOptions(packagePath(GUEST), machineOptions);
  const { machine } = setUp(start);
  const file = OutputFile.create(path);
  try {
    const writer = new TraceWriter((bytes) => file.write(bytes), start);
    const recorder = new Recorder(machine, writer);
    const session = new Session(machine, liveSource(start.machine), { recorder });
    const progress = new Progress(process.stderr);
    const slice = new SliceLength();
    let output = '';
    machine.onSerialOutput = (byte) => {
      output += String.fromCharCode(byte);
    };
    while (session.outcome === null && !stop.isRaised) {
      const began = performance.now();
      session.slice(slice.steps);
      const now = performance.now();
      slice.took(now - began);
      progress.show(now, () => `  seed ${seed}: ${formatInstant(machine.cpu.instant)}`);
      await turn();
    }
    progress.clear();
    const lastLine = output.trimEnd().split('\n').at(-1) ?? '';
    const { outcome } = session;
    return { status: outcome?.kind === 'exit' ? outcome.status : STATUS_OK, lastLine };
  } finally {
    file.close();
  }
}

/** Replays the whole trace; false where it diverged. */
function replay(trace: Trace, path: string): boolean {
  print(
    `\ntrace   ${path}: ${plural(trace.byteLength, 'byte')}, ${plural(trace.lastInstant, 'step')}\n`,
  );
  const { machine } = setUp(startFromTrace(trace, path));
  const replayer = new Replayer(machine, new StreamCursor(trace.events), trace.lastInstant);
  replayer.attach();
  replayer.advance(trace.lastInstant + 1);
  const { divergence } = replayer;
  print(
    divergence === null
      ? `replay  ${groupDigits(machine.cpu.instant)} steps, the same digest: ${trace.end?.digest ?? ''}\n`
      : `replay  diverged at ${formatInstant(divergence.instant)}\n`,
  );
  return divergence === null;
}

/** Prints the window in which the interrupt was taken. */
function show(trace: Trace, path: string): void {
  const { machine, image } = setUp(startFromTrace(trace, path));
  const { symbols } = image;
  const sti = symbols.address('sti_sysexit_sti') ?? 0;
  const sysexit = symbols.address('sti_sysexit_sysexit') ?? 0;
  const needResched = symbols.address('need_resched') ?? 0;
  const events: TraceEvent[] = [...trace.events];
  // The last one that hit the window: the very next entry into the kernel found what it had left.
  const hit = events.findLast(
    (event): event is AcceptEvent =>
      event.kind === 'accept' && event.eip > sti && event.eip <= sysexit,
  );
  if (hit === undefined) throw new Error('lost work without an interrupt in the window');
  const timeline = Timeline.overTrace(machine, events, trace.lastInstant);
  const from = Math.max(0, hit.at - STEPS_BEFORE);
  const watched = [{ name: 'need_resched', linear: needResched }];
  const steps = collectSteps(timeline, from, hit.at + STEPS_MOST, symbols, watched);
  const user = steps.findIndex((row) => row.instant > hit.at && row.cpl === 3);
  if (user < 0) throw new Error('the interrupt in the window was not followed by user mode');
  const rows = steps.slice(0, user + 1).map((row, place) => {
    if (row.instant === hit.at) return { ...row, note: 'between STI and SYSEXIT' };
    if (place === user) return { ...row, note: 'user mode with work pending' };
    if (row.instant < hit.at && row.text.endsWith('<need_resched>')) {
      return { ...row, note: 'the exit tests: no work' };
    }
    if (row.symbol === 'ret_from_intr') return { ...row, note: 'a kernel frame: no test' };
    return row;
  });
  const shown = elide(
    rows,
    (row, place) =>
      row.instant <= hit.at + STEPS_AFTER || row.note !== null || place >= user - EXIT_STEPS,
  );
  print(`window  IRQ ${hit.line}, taken at ${formatInstant(hit.at)}:\n\n`);
  print(renderWindow(shown, supportsColor !== false));
  print(`
STI holds interrupts off for one more instruction. Here that one is a NOP, not SYSEXIT: the timer's
interrupt is taken inside the kernel's exit, past its test for pending work. The handler sets
need_resched, sees that it interrupted the kernel, and leaves the work to the exit that it interrupted.

Walk through it in both directions:

  npx holdoff gdb ${path}

and in another terminal

  gdb ${relative('.', packagePath(GUEST))} -ex 'target remote localhost:1234' \\
    -ex 'monitor seek ${formatInstant(hit.at)}' -ex 'maintenance flush register-cache' -ex 'x/2i $pc'
`);
}

function print(text: string): void {
  process.stdout.write(text);
}
