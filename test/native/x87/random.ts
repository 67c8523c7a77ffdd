/** Random bits by a seed, and 80-bit values of the kinds in which arithmetic goes wrong. */

/** The same seed gives the same numbers. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 32 random bits, unsigned. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A whole number of 0 to limit - 1. */
  below(limit: number): number {
    return Math.floor((this.bits() / 0x100000000) * limit);
  }

  chance(outOf: number): boolean {
    return this.below(outOf) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** Sign and exponent, and the significand's words. */
export type Value = readonly [signExponent: number, high: number, low: number];

const EXPONENT_BIAS = 16383;
/** Distances of exponents at which something changes: word sizes, precisions, FPREM's limit. */
const EDGES = [0, 1, 2, 8, 11, 23, 24, 25, 31, 32, 33, 52, 53, 54, 62, 63, 64, 65, 66, 95, 96, 97];

/** A significand with its integer bit: random, nearly all ones or zeros, or short. */
function significand(random: Random): [number, number] {
  const high = random.bits() | 0x80000000;
  const low = random.bits();
  switch (random.below(8)) {
    case 0:
      return [0x80000000, 0];
    case 1:
      return [0xffffffff, 0xffffffff << random.below(24)];
    case 2:
      return [high, 0];
    case 3:
      return [high & (0xffffffff << random.below(31)), 0];
    case 4:
      return [0x80000000, 1 << random.below(32)];
    case 5:
      // Just on or beside a tie of 24 or 53 bits.
      return [
        random.chance(2) ? (high & ~0xff) | 0x80 : high,
        (low & ~0x7ff) | random.pick([0x400, 0x3ff, 0x401]),
      ];
    default:
      return [high, low];
  }
}

function normal(random: Random, exponent: number): Value {
  const sign = random.chance(2) ? 0x8000 : 0;
  const bounded = Math.min(Math.max(exponent, 1), 0x7ffe);
  return [sign | bounded, ...significand(random)];
}

/** Numbers about 1, whole ones, and ones at a given distance. */
function ordinary(random: Random, around: number): Value {
  const distance = random.chance(2) ? random.pick(EDGES) : random.below(80);
  return normal(random, around + (random.chance(2) ? distance : -distance));
}

/** Zeros, infinities, NaNs, denormals and encodings that the processor refuses. */
export function special(random: Random): Value {
  const sign = random.chance(2) ? 0x8000 : 0;
  const [high, low] = significand(random);
  switch (random.below(9)) {
    case 0:
    case 1:
      return [sign, 0, 0];
    case 2:
      return [sign | 0x7fff, 0x80000000, 0];
    case 3:
      return [sign | 0x7fff, high | 0x40000000, low];
    case 4:
      return [sign | 0x7fff, high & ~0x40000000, low | 1];
    case 5:
      return [sign, high & 0x7fffffff, low];
    case 6:
      return [sign, random.chance(3) ? high : 0, random.bits() >>> random.below(32)];
    case 7:
      return [sign | random.below(0x8000), high & 0x7fffffff, low];
    default:
      return [sign | 0x7fff, random.pick([0, 0x40000000, high & 0x7fffffff]), low];
  }
}

/** One operand. @param around a biased exponent that others of the same case are near. */
export function value(random: Random, around: number): Value {
  switch (random.below(10)) {
    case 0:
      return special(random);
    case 1:
      return normal(random, random.below(0x8000));
    case 2:
      // Near both ends of the exponent's range.
      return normal(random, random.chance(2) ? random.below(70) : 0x7ffe - random.below(70));
    case 3:
      return ordinary(random, EXPONENT_BIAS);
    default:
      return ordinary(random, around);
  }
}

/** An exponent for a case's operands to be near. */
export function exponentOfCase(random: Random): number {
  const ends = [40, 80, 0x7fa0, 0x7ff0];
  const formats = [
    EXPONENT_BIAS - 1022,
    EXPONENT_BIAS - 126,
    EXPONENT_BIAS + 127,
    EXPONENT_BIAS + 1023,
  ];
  switch (random.below(6)) {
    case 0:
      return random.pick(ends);
    case 1:
      return random.pick(formats);
    case 2:
      return EXPONENT_BIAS + random.below(66);
    default:
      return EXPONENT_BIAS;
  }
}
