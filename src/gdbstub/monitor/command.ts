/** What a `monitor` command is. The table of them belongs to the target. */

/** One command under gdb's `monitor`. */
export interface MonitorCommand {
  readonly name: string;
  /** The command with its arguments, as help shows it: `seek @N`. */
  readonly usage: string;
  /** One line for the list. */
  readonly summary: string;
  /** Lines that `monitor help NAME` adds to usage and summary. */
  readonly details: readonly string[];
  /**
   * Does it, and returns the text to print, without a line feed at its end.
   * @throws UserError when the arguments make no sense; its message is printed.
   */
  run(args: readonly string[]): string;
}
