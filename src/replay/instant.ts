/**
 * Instants: points in guest time. An instant is the number of steps since reset, where a step is one
 * instruction retired, one iteration of a REP, or one delivery. So every state of a run has one name.
 */
import { UserError } from '../machine/user-error.js';

/** Steps since reset, from 0 to 2^53 - 1. */
export type Instant = number;

/** `@1234567`, as instants are printed everywhere. */
export function formatInstant(instant: Instant): string {
  return `@${instant}`;
}

/**
 * Reads `@1234567`. The `@` may be left out and `_` may group the digits.
 * @throws UserError where the text is no instant.
 */
export function parseInstant(text: string): Instant {
  const digits = /^@?(\d+(?:_\d+)*)$/.exec(text)?.[1].replaceAll('_', '');
  const instant = Number(digits ?? Number.NaN);
  if (!Number.isSafeInteger(instant)) {
    throw new UserError(`"${text}" is not an instant: give a number of steps such as @1234567`);
  }
  return instant;
}
