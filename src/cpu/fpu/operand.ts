/**
 * An 80-bit value taken apart. Intel SDM vol. 1 §4.2.2 and §8.2.2.
 *
 * The significand is a pair of 32-bit words, `high` with the integer bit on top. Exponents keep their
 * bias of 16383; that of a denormal goes below 1 as far as it takes to have the integer bit set.
 */

/** What a value is. Each is one bit, so that the kinds of two operands can be looked at together. */
export const KIND_NORMAL = 0;
/** Denormals and pseudo-denormals. */
export const KIND_DENORMAL = 1;
export const KIND_ZERO = 2;
export const KIND_INFINITY = 4;
export const KIND_QUIET_NAN = 8;
export const KIND_SIGNALING_NAN = 16;
/** Encodings that the 8087 knew and the 387 refuses: unnormals, pseudo-NaNs, pseudo-infinities. */
export const KIND_UNSUPPORTED = 32;
/** Kinds that are no number. */
export const KIND_NO_NUMBER = KIND_QUIET_NAN | KIND_SIGNALING_NAN | KIND_UNSUPPORTED;

export const EXPONENT_BIAS = 16383;
export const EXPONENT_MAX = 0x7fff;
export const SIGN = 0x8000;
/** The top bit of a word: the integer bit of a significand. */
export const TOP_BIT = 0x80000000 | 0;
/** The bit below the integer bit, which tells quiet from signaling NaNs. */
export const QUIET_BIT = 0x40000000;

/** One value, taken apart. Numbers are normalised. */
export class Operand {
  /** SIGN or 0. */
  sign = 0;
  exponent = 0;
  high = 0;
  low = 0;
  kind = KIND_ZERO;

  /** Takes an 80-bit value apart. @param signExponent its upper 16 bits. */
  unpack(signExponent: number, high: number, low: number): void {
    const exponent = signExponent & EXPONENT_MAX;
    this.sign = signExponent & SIGN;
    this.exponent = exponent;
    this.high = high;
    this.low = low;
    if (exponent === 0) this.#unpackTiny();
    else if (high >= 0) this.kind = KIND_UNSUPPORTED;
    else if (exponent === EXPONENT_MAX) this.kind = kindOfSpecial(high, low);
    else this.kind = KIND_NORMAL;
  }

  /** Sets a finite number whose significand needn't be normalised, and may be zero. */
  setFinite(sign: number, exponent: number, high: number, low: number): void {
    this.sign = sign;
    this.exponent = exponent;
    this.high = high;
    this.low = low;
    this.kind = KIND_NORMAL;
    if (high < 0) return;
    if ((high | low) === 0) this.kind = KIND_ZERO;
    else this.#normalise();
  }

  /** Infinity or NaN, by the significand. */
  setSpecial(sign: number, high: number, low: number): void {
    this.sign = sign;
    this.exponent = EXPONENT_MAX;
    this.high = high;
    this.low = low;
    this.kind = kindOfSpecial(high, low);
  }

  copy(other: Operand): void {
    this.sign = other.sign;
    this.exponent = other.exponent;
    this.high = other.high;
    this.low = other.low;
    this.kind = other.kind;
  }

  #unpackTiny(): void {
    if ((this.high | this.low) === 0) {
      this.kind = KIND_ZERO;
      return;
    }
    this.kind = KIND_DENORMAL;
    this.exponent = 1;
    this.#normalise();
  }

  #normalise(): void {
    if (this.high === 0) {
      this.high = this.low;
      this.low = 0;
      this.exponent -= 32;
    }
    const shift = Math.clz32(this.high);
    if (shift === 0) return;
    this.high = (this.high << shift) | (this.low >>> (32 - shift));
    this.low <<= shift;
    this.exponent -= shift;
  }
}

function kindOfSpecial(high: number, low: number): number {
  if (high === TOP_BIT && low === 0) return KIND_INFINITY;
  return high & QUIET_BIT ? KIND_QUIET_NAN : KIND_SIGNALING_NAN;
}
