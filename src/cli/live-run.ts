/** Drives a live session to its end, and looks after the process around it. */
import type { Machine } from '../machine/machine.js';
import { formatInstant } from '../replay/instant.js';
import type { Outcome } from '../replay/outcome.js';
import type { Session } from '../replay/session.js';
import { Doorbell } from './doorbell.js';
import { GuestConsole, watchStdout } from './guest-console.js';
import type { MachineOptions } from './machine-options.js';
import { tracePorts } from './port-trace.js';
import { Progress, roundCount } from './progress.js';
import { SerialInput } from './serial-input.js';
import { SliceLength } from './slice-length.js';
import { StopSignal, turn } from './stop-signal.js';

/** Below this many milliseconds a timer of the host is too coarse to wait with. */
const WAIT_LEAST = 2;
/** The longest sleep, so that what `onTurn` does is done in time. */
const WAIT_MOST = 100;

/**
 * Runs until the guest, the limit, a signal or a reader that has gone away ends it.
 * @param onTurn called between slices, some ten times a second at least, with the host's time in
 *   milliseconds.
 */
export async function runToEnd(
  session: Session,
  machine: Machine,
  options: MachineOptions,
  onTurn: (now: number) => void = () => undefined,
): Promise<Outcome> {
  const isOnStdio = options.serial === 'stdio';
  const progress = new Progress(process.stderr);
  const guest = new GuestConsole(isOnStdio ? process.stdout : null, progress);
  const bell = new Doorbell();
  const stop = new StopSignal(() => bell.ring());
  watchStdout(() => stop.raise());
  machine.onSerialOutput = (byte) => guest.write(byte);
  const input = isOnStdio
    ? new SerialInput(session, machine, {
        progress,
        wake: () => bell.ring(),
        leave: () => stop.raise(),
      })
    : null;
  if (options.tracePorts === true) tracePorts(machine, progress);

  const began = performance.now();
  const slice = new SliceLength();
  let outcome: Outcome | null = null;
  try {
    while (outcome === null) {
      const start = performance.now();
      const result = session.slice(slice.steps);
      const now = performance.now();
      if (typeof result === 'object') outcome = result;
      else if (stop.isRaised) outcome = session.interrupt();
      guest.flush();
      onTurn(now);
      if (result === 'running') slice.took(now - start);
      if (input?.isConsole !== true && (guest.isLineStart || !process.stdout.isTTY)) {
        progress.show(
          now,
          () => `${formatInstant(machine.cpu.instant)}  ${rate(machine, now - began)}`,
        );
      }
      const wait = session.waitNanoseconds / 1e6;
      if (result === 'waiting' && wait >= WAIT_LEAST) {
        await bell.wait(Math.min(WAIT_MOST, Math.floor(wait) - 1));
      } else {
        await turn();
      }
    }
  } finally {
    progress.clear();
    stop.release();
    input?.release();
    if (input?.isConsole === true && !guest.isLineStart) process.stderr.write('\n');
  }
  return outcome;
}

/** Instructions a second on the average. */
function rate(machine: Machine, milliseconds: number): string {
  return `${roundCount((machine.cpu.retired / milliseconds) * 1e3)} instructions/s`;
}
