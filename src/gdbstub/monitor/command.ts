/** What a `monitor` command is. The table of them belongs to the target. */

/** One command under gdb's `monitor`. */
export interface MonitorCommand {
  readonly name: string;
  /** The command with its arguments, as help shows it: `seek @N`. */
  readonly usage: string;
  /** One line for the list. */
  readonly summary: string;
  /**
   * Errors are told to gdb as such, which then goes on with no script that the command is in. gdb's own
   * words for that are "Protocol error with Rcmd".
   */
  readonly isStrict?: true;
  /** Lines that `monitor help NAME` adds to usage and summary. */
  readonly details: readonly string[];
  /**
   * Does it, and returns the text to print, without a line feed at its end; or else work that takes
   * longer, which yields between slices of some milliseconds, with a line of progress or without, and
   * returns the text. It may be `return()`ed between slices.
   * @throws UserError when the arguments make no sense; its message is printed.
   */
  run(args: readonly string[]): string | Generator<string | undefined, string>;
}
