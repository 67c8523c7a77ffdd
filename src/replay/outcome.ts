/** How a recorded run ended. */

/**
 * `exit`: the guest wrote `value` to port 0xf4, so `status` is (value << 1 | 1) & 0xff. `halted`: HLT and
 * nothing was left that could wake it. `shutdown`: a triple fault. `reset`: the guest reset the machine.
 * `limit`: as many instructions as were allowed. `interrupted`: the recording was stopped. `incomplete`:
 * the trace has no end, since its recorder was killed; this one is never written.
 */
export type Outcome =
  | { readonly kind: 'exit'; readonly status: number; readonly value: number }
  | { readonly kind: 'halted' }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'limit' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'incomplete' };

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
      return 'the run was interrupted';
    case 'incomplete':
      return 'the trace has no end: its recorder was killed';
  }
}
