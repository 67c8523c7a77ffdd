import { Random } from '../../src/replay/random.js';

/** What a stream is made of: choices that its seed alone decides. */
export class Choices extends Random {
  /** 32 bits, signed. */
  word(): number {
    return this.next() | 0;
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }
}
