/** Recordings in memory, and replays of them. */

import type { Machine } from '../../src/machine/machine.js';
import type { LiveSource } from '../../src/replay/clock/live-source.js';
import type { TraceEvent } from '../../src/replay/event.js';
import { ListCursor } from '../../src/replay/event-cursor.js';
import type { Outcome } from '../../src/replay/outcome.js';
import { Recorder } from '../../src/replay/recorder.js';
import { Replayer } from '../../src/replay/replayer.js';
import { Session, type SessionOptions } from '../../src/replay/session.js';

/** A finished run. */
export interface Recording {
  readonly machine: Machine;
  readonly events: TraceEvent[];
  readonly outcome: Outcome;
  readonly end: number;
  /** What the guest sent to its serial port. */
  readonly output: string;
}

/** Runs a machine to its end in slices of so many steps, recording it. */
export function record(
  machine: Machine,
  source: LiveSource,
  options: SessionOptions & { readonly slice?: number; readonly serial?: string } = {},
): Recording {
  const events: TraceEvent[] = [];
  const output = collectOutput(machine);
  const recorder = new Recorder(machine, { event: (event) => events.push(event) });
  const session = new Session(machine, source, { ...options, recorder });
  session.pushSerial(Buffer.from(options.serial ?? ''));
  for (;;) {
    const outcome = session.slice(options.slice ?? 100_000);
    if (outcome === 'waiting') throw new Error('the guest waits for the host');
    if (outcome === 'running') continue;
    return { machine, events, outcome, end: machine.cpu.instant, output: output() };
  }
}

/** A replayer over these events, attached to a machine at its start. */
export function replayer(
  machine: Machine,
  events: readonly TraceEvent[],
  lastInstant = events.at(-1)?.at ?? 0,
): Replayer {
  const replay = new Replayer(machine, new ListCursor(events), lastInstant);
  replay.attach();
  return replay;
}

/** Collects what the guest sends from now on; the function returns it. */
export function collectOutput(machine: Machine): () => string {
  const bytes: number[] = [];
  machine.onSerialOutput = (byte) => bytes.push(byte);
  return () => String.fromCharCode(...bytes);
}

/** Counts the steps that a machine runs from now on, whatever they lead to; the function returns them. */
export function countSteps(machine: Machine): () => number {
  let steps = 0;
  const run = machine.run.bind(machine);
  machine.run = (until, skip) => {
    const start = machine.cpu.instant;
    const exit = run(until, skip);
    steps += machine.cpu.instant - start;
    return exit;
  };
  return () => steps;
}
