/** Sleeping until something happens: a time has passed, a byte has come, a signal was sent. */

/** Timers take no more than 31 bits; waking too early is harmless. */
const WAIT_MOST = 60_000;

/** One sleeper, and anyone who wakes it. */
export class Doorbell {
  #wake: (() => void) | null = null;
  #hasRung = false;

  /** Ends the present `wait`, or the next one at once. */
  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  /** Waits for `ring`, at most so long. @param milliseconds up to Infinity. */
  async wait(milliseconds: number): Promise<void> {
    if (!this.#hasRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(milliseconds, WAIT_MOST));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    this.#hasRung = false;
  }
}
