/** The keys that a console keeps for itself: those after Ctrl-A, as in QEMU. */

const CTRL_A = 0x01;
const CTRL_C = 0x03;

/** What is printed for Ctrl-A h. */
export const ESCAPE_HELP = [
  'Ctrl-A h       this help',
  'Ctrl-A x       leave: ends the run',
  'Ctrl-A Ctrl-A  Ctrl-A for the guest',
  'Ctrl-C         goes to a guest that listens to its serial port, and ends the run of any other',
];

/** What a key asks the console to do. */
export type EscapeCommand = 'help' | 'leave';

/** Tells the guest's bytes from the console's keys. */
export class EscapeKeys {
  readonly #guestListens: () => boolean;
  #isAfterCtrlA = false;

  /** @param guestListens the guest takes bytes, so that Ctrl-C is its own. */
  constructor(guestListens: () => boolean) {
    this.#guestListens = guestListens;
  }

  /**
   * Sorts typed bytes.
   * @returns the guest's, in order, and what the console is to do.
   */
  take(bytes: Iterable<number>): { readonly guest: number[]; readonly commands: EscapeCommand[] } {
    const guest: number[] = [];
    const commands: EscapeCommand[] = [];
    for (const byte of bytes) {
      if (this.#isAfterCtrlA) {
        this.#isAfterCtrlA = false;
        const key = String.fromCharCode(byte).toLowerCase();
        if (byte === CTRL_A) guest.push(byte);
        else if (key === 'x') commands.push('leave');
        else if (key === 'h' || key === '?') commands.push('help');
        // Others are keys of QEMU's that mean nothing here; the guest is not to see them.
      } else if (byte === CTRL_A) this.#isAfterCtrlA = true;
      else if (byte === CTRL_C && !this.#guestListens()) commands.push('leave');
      else guest.push(byte);
    }
    return { guest, commands };
  }
}
