/** How a run ended, in words and as an exit status. */
import { formatInstant, type Instant } from '../replay/instant.js';
import type { Outcome } from '../replay/outcome.js';
import { STATUS_OK } from './errors.js';

/** A clause with the guest or the run as its subject. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'exit':
      return `the guest exited with status ${outcome.status} (it wrote 0x${outcome.value.toString(16)} to port 0xf4)`;
    case 'halted':
      return 'the guest halted for good: nothing is left that could wake it';
    case 'shutdown':
      return 'the guest shut down: a triple fault';
    case 'reset':
      return 'the guest reset the machine';
    case 'limit':
      return 'the instruction limit was reached';
    case 'interrupted':
      return 'the recording was interrupted';
    case 'incomplete':
      return 'the trace has no end: its recorder was killed';
  }
}

/** The exit status of a run, recording or replay that ended so: the guest's own where it gave one. */
export function statusOf(outcome: Outcome): number {
  return outcome.kind === 'exit' ? outcome.status : STATUS_OK;
}

/** One line on stderr: how it ended, and at which instant. */
export function reportEnd(outcome: Outcome, instant: Instant): void {
  process.stderr.write(`holdoff: ${describeOutcome(outcome)} at ${formatInstant(instant)}\n`);
}
