/**
 * A mistake that the user can mend: a broken image, an option that doesn't fit. The message is one line
 * that says what is wrong, where, and what to do; the command line prints it and exits with status 1.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}
