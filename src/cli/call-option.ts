/** `--call`: names of a hypervisor's calls, in any case. */
import { InvalidArgumentError } from 'commander';
import { CALL_NAMES } from '../vmi/call-names.js';

const BY_LOWER_CASE = new Map(CALL_NAMES.map((name) => [name.toLowerCase(), name]));

/** @throws InvalidArgumentError on a name that no call has. */
export function parseCallName(text: string, before: readonly string[] | undefined): string[] {
  const name = BY_LOWER_CASE.get(text.toLowerCase());
  if (name !== undefined) return [...(before ?? []), name];
  const near = CALL_NAMES.filter((each) => each.toLowerCase().includes(text.toLowerCase()));
  const hint = near.length > 0 ? `Perhaps ${near.slice(0, 5).join(', ')}` : 'Try IRET or SetPxE';
  throw new InvalidArgumentError(`${hint}; info lists those of a trace.`);
}
