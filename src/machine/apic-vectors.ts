/**
 * Requests and services of a local APIC by vector: IRR, ISR, TMR, and the priorities that decide which
 * request the processor gets. Intel SDM vol. 3A §10.8, "Handling Interrupts".
 */

/** The request waits. */
export const IRR = 0;
/** The processor has taken it and not ended it yet. */
export const ISR = 1;
/** It was requested by a level, as of its last request. */
export const TMR = 2;
/** The request that waits is the timer's. No register shows it. */
const TIMED = 3;

const SETS = 4;
/** Words of one set: a bit a vector. */
const SET_WORDS = 8;
/** Vectors below this are the processor's own; a request for one is an error. */
export const FIRST_VECTOR = 16;
const CLASS = 0xf0;

/** 256 vectors and their states. */
export class ApicVectors {
  /** TPR, 8 bits: a request whose class (bits 4 to 7) is not above it waits. */
  taskPriority = 0;
  readonly #words = new Int32Array(SETS * SET_WORDS);

  /** PPR: the task's priority, or the class of the vector in service where that is higher. */
  get processorPriority(): number {
    const inService = Math.max(0, this.#highest(ISR)) & CLASS;
    return (this.taskPriority & CLASS) >= inService ? this.taskPriority : inService;
  }

  /** The vector that the processor would get now, or -1 where none may be delivered. */
  get deliverable(): number {
    const vector = this.#highest(IRR);
    return (vector & CLASS) > (this.processorPriority & CLASS) ? vector : -1;
  }

  /** One word of a set, as the registers show it: vectors `32 * index` to `32 * index + 31`. */
  word(set: typeof IRR | typeof ISR | typeof TMR, index: number): number {
    return this.#words[set * SET_WORDS + index];
  }

  /**
   * Requests a vector, 16 to 255. One that waits already is not requested twice.
   * @param isTimer whether `acknowledge` is to say so.
   */
  request(vector: number, isLevel: boolean, isTimer: boolean): void {
    this.#put(IRR, vector, true);
    this.#put(TMR, vector, isLevel);
    this.#put(TIMED, vector, isTimer);
  }

  /** Puts the deliverable vector into service. True where the request was the timer's. */
  acknowledge(vector: number): boolean {
    const isTimer = this.#has(TIMED, vector);
    this.#put(IRR, vector, false);
    this.#put(TIMED, vector, false);
    this.#put(ISR, vector, true);
    return isTimer;
  }

  /** Ends the service of the highest vector in service, which it returns; -1 where there is none. */
  endOfInterrupt(): number {
    const vector = this.#highest(ISR);
    if (vector >= 0) this.#put(ISR, vector, false);
    return vector;
  }

  reset(): void {
    this.taskPriority = 0;
    this.#words.fill(0);
  }

  /** How many numbers `save` gives. */
  static readonly stateLength = 1 + SETS * SET_WORDS;

  save(): number[] {
    return [this.taskPriority, ...this.#words];
  }

  restore(state: readonly number[]): void {
    this.taskPriority = state[0];
    this.#words.set(state.slice(1));
  }

  #highest(set: number): number {
    for (let index = SET_WORDS - 1; index >= 0; index--) {
      const word = this.#words[set * SET_WORDS + index];
      if (word !== 0) return index * 32 + 31 - Math.clz32(word);
    }
    return -1;
  }

  #has(set: number, vector: number): boolean {
    return (this.#words[set * SET_WORDS + (vector >>> 5)] & (1 << (vector & 31))) !== 0;
  }

  #put(set: number, vector: number, isSet: boolean): void {
    const at = set * SET_WORDS + (vector >>> 5);
    const bit = 1 << (vector & 31);
    if (isSet) this.#words[at] |= bit;
    else this.#words[at] &= ~bit;
  }
}
