/**
 * The count-down timer of a local APIC. It is told the time, in ticks of the bus clock since reset, and
 * works out from that alone what it shows and when it expires. Intel SDM vol. 3A §10.5.4, "APIC Timer".
 */

/** The bus clock that the timer divides, in Hz: that of a Pentium III. */
export const APIC_HZ = 100_000_000;

/** Bits of the divide configuration register that exist. */
const DIVIDE_BITS = 0b1011;
/** Divisors by bits 3, 1 and 0 of that register. */
const DIVISORS = [2, 4, 8, 16, 32, 64, 128, 1];

/** Initial count, current count, divisor, mode. */
export class ApicTimer {
  #initial = 0;
  #divide = 0;
  #isPeriodic = false;
  /** The count at the tick `#since`; 0 where the timer stands still. */
  #count = 0;
  #since = 0;

  /** The initial count register, unsigned. */
  get initialCount(): number {
    return this.#initial;
  }

  /** The divide configuration register. */
  get divideConfiguration(): number {
    return this.#divide;
  }

  /** The current count register at a tick, unsigned. */
  currentCount(now: number): number {
    const elapsed = Math.floor((now - this.#since) / this.#divisor);
    if (elapsed < this.#count) return this.#count - elapsed;
    if (!this.#isPeriodic || this.#count === 0) return 0;
    return this.#initial - ((elapsed - this.#count) % this.#initial);
  }

  /** The first tick after `now` at which the count reaches 0; Infinity where it never does. */
  nextExpiry(now: number): number {
    if (this.#count === 0) return Number.POSITIVE_INFINITY;
    const first = this.#since + this.#count * this.#divisor;
    if (first > now) return first;
    if (!this.#isPeriodic) return Number.POSITIVE_INFINITY;
    const period = this.#initial * this.#divisor;
    return first + (Math.floor((now - first) / period) + 1) * period;
  }

  /** Writes the initial count, unsigned: counting starts from it at once; 0 stops the timer. */
  start(count: number, now: number): void {
    this.#initial = count;
    this.#count = count;
    this.#since = now;
  }

  /** Writes the divide configuration: the count goes on from where it is. */
  setDivide(value: number, now: number): void {
    this.forgetPast(now);
    this.#divide = value & DIVIDE_BITS;
  }

  /** Chooses the mode: the count goes on from where it is, and one that has come to 0 stays there. */
  setPeriodic(isPeriodic: boolean, now: number): void {
    if (isPeriodic === this.#isPeriodic) return;
    this.forgetPast(now);
    this.#isPeriodic = isPeriodic;
  }

  /** From here on `nextExpiry` gives none before this tick: those that came meant nothing to anyone. */
  forgetPast(now: number): void {
    this.#count = this.currentCount(now);
    this.#since = now - ((now - this.#since) % this.#divisor);
  }

  reset(): void {
    this.#initial = 0;
    this.#divide = 0;
    this.#isPeriodic = false;
    this.#count = 0;
    this.#since = 0;
  }

  /** How many numbers `save` gives. */
  static readonly stateLength = 5;

  save(): number[] {
    return [this.#initial, this.#divide, Number(this.#isPeriodic), this.#count, this.#since];
  }

  restore(state: readonly number[]): void {
    this.#initial = state[0];
    this.#divide = state[1];
    this.#isPeriodic = state[2] !== 0;
    this.#count = state[3];
    this.#since = state[4];
  }

  get #divisor(): number {
    return DIVISORS[((this.#divide >> 1) & 4) | (this.#divide & 3)];
  }
}
