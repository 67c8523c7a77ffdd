/**
 * Which VMI call comes next, from what followed the last two. A kernel calls in the same order again
 * and again, so most calls need no more than "as foretold" in a trace.
 */
import type { ShimEvent } from './event.js';
import type { Instant } from './instant.js';

/** A call as it is expected. */
export interface ForetoldCall {
  readonly call: number;
  readonly site: number;
  readonly args: readonly number[];
  readonly result: number | null;
  /** Steps after the call before it. */
  readonly distance: number;
}

/** Keeps what followed each pair of calls. Writer and reader keep the same. */
export class CallPredictions {
  readonly #followers = new Map<number, ForetoldCall>();
  #at: Instant = 0;
  #site = 0;
  #siteBefore = 0;

  /** The call that is expected next; null where the last two calls are a new pair. */
  get next(): ForetoldCall | null {
    return this.#followers.get(this.#key) ?? null;
  }

  /** The instant at which it is expected. */
  get nextAt(): Instant {
    return this.#at + (this.next?.distance ?? 0);
  }

  /** A call is the one that is expected, whenever it comes. */
  foretells(event: ShimEvent): boolean {
    const { next } = this;
    return (
      next !== null &&
      next.call === event.call &&
      next.site === event.site &&
      next.result === event.result &&
      next.args.length === event.args.length &&
      next.args.every((value, at) => value === event.args[at])
    );
  }

  /** Takes note of the next call. */
  observe({ at, call, site, args, result }: ShimEvent): void {
    this.#followers.set(this.#key, { call, site, args, result, distance: at - this.#at });
    this.#at = at;
    this.#siteBefore = this.#site;
    this.#site = site;
  }

  /** Of the last two sites. Pairs that share a key cost a wrong guess, no more. */
  get #key(): number {
    return (Math.imul(this.#siteBefore, 0x9e3779b1) ^ this.#site) | 0;
  }
}
