/** The calls of a trace by name. */
import { VMI_CALLS, vmiCall } from './calls.js';
import { callInTrace, ROM_CALLS } from './rom/rom-calls.js';

/** The name of a call by the number that traces hold; `call N` where it has none. */
export function callName(number: number): string {
  return vmiCall(number)?.name ?? callInTrace(number)?.name ?? `call ${number}`;
}

/** Every name. */
export const CALL_NAMES: readonly string[] = [
  ...new Set([...VMI_CALLS, ...ROM_CALLS].map(({ name }) => name)),
];
