/** `holdoff run`: a live run that leaves nothing behind. */
import { type PlacedInput, PlacedInputs } from '../replay/clock/placed-inputs.js';
import { Session } from '../replay/session.js';
import { STATUS_INTERRUPTED } from './errors.js';
import { reportLeft } from './inject-option.js';
import { runToEnd } from './live-run.js';
import { liveSource } from './live-source.js';
import type { MachineOptions } from './machine-options.js';
import { setUp, startFromOptions } from './machine-setup.js';
import { reportEnd, statusOf } from './outcome.js';
import { reportViolations } from './violation-report.js';

/** Runs the image; the exit status. */
export async function run(
  path: string | undefined,
  options: MachineOptions & { readonly inject?: readonly PlacedInput[] },
): Promise<number> {
  const start = startFromOptions(path, options);
  const { machine, hypervisor } = setUp(start, options.engine);
  reportViolations(hypervisor);
  const source = new PlacedInputs(liveSource(start.machine), options.inject ?? []);
  const session = new Session(machine, source, {
    maxInstructions: options.maxInstructions,
  });
  const outcome = await runToEnd(session, machine, options);
  reportEnd(outcome, machine.cpu.instant);
  reportLeft(source, machine.cpu.instant);
  return outcome.kind === 'interrupted' ? STATUS_INTERRUPTED : statusOf(outcome);
}
