/** How a run ended, in words and as an exit status. */
import { formatInstant, type Instant } from '../replay/instant.js';
import { describeOutcome, type Outcome } from '../replay/outcome.js';
import { STATUS_OK } from './errors.js';

/** The exit status of a run, recording or replay that ended so: the guest's own where it gave one. */
export function statusOf(outcome: Outcome): number {
  return outcome.kind === 'exit' ? outcome.status : STATUS_OK;
}

/** One line on stderr: how it ended, and at which instant. */
export function reportEnd(outcome: Outcome, instant: Instant): void {
  process.stderr.write(`holdoff: ${describeOutcome(outcome)} at ${formatInstant(instant)}\n`);
}
