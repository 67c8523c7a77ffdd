/** Where the user has been: instants to go back to, and forward again, and instants with names. */
import type { Instant } from '../replay/instant.js';

/** Positions that are remembered. */
const MOST = 1000;

export class PositionHistory {
  readonly marks = new Map<string, Instant>();
  #behind: Instant[] = [];
  #ahead: Instant[] = [];

  /** The user goes somewhere else from here. */
  leave(here: Instant): void {
    if (this.#behind.at(-1) !== here) this.#behind.push(here);
    if (this.#behind.length > MOST) this.#behind.shift();
    this.#ahead = [];
  }

  /** The position before, to go to from here; null where there is none. */
  back(here: Instant): Instant | null {
    return this.#move(this.#behind, this.#ahead, here);
  }

  /** The position from which the user went back. */
  forward(here: Instant): Instant | null {
    return this.#move(this.#ahead, this.#behind, here);
  }

  #move(from: Instant[], to: Instant[], here: Instant): Instant | null {
    let position = from.pop();
    while (position === here) position = from.pop();
    if (position === undefined) return null;
    to.push(here);
    return position;
  }
}
