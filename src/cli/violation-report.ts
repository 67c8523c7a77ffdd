/** What a hypervisor let happen to its guest and must not, as lines on stderr. */
import { formatInstant } from '../replay/instant.js';
import type { Hypervisor } from '../vmi/hypervisor.js';
import { describeViolation, type ViolationKind } from '../vmi/violations.js';

/** Prints the first violation of each kind. */
export function reportViolations(hypervisor: Hypervisor | null): void {
  if (hypervisor === null) return;
  const seen = new Set<ViolationKind>();
  hypervisor.onViolation = (violation) => {
    if (seen.has(violation.kind)) return;
    seen.add(violation.kind);
    process.stderr.write(
      `holdoff: hypervisor: ${formatInstant(violation.instant)}: ${describeViolation(violation)}\n`,
    );
  };
}
