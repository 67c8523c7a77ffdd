/** Packed decimal: 18 digits, two a byte, and a byte for the sign. Intel SDM vol. 1 §4.7. */
import {
  EXPONENT_BIAS,
  KIND_INFINITY,
  KIND_NO_NUMBER,
  type Operand,
  SIGN,
  TOP_BIT,
} from './operand.js';
import { forgetRounding, toWhole, whole } from './round-integer.js';
import { unit } from './unit.js';

const DIGITS = 18;
const LIMIT = 10n ** BigInt(DIGITS);
const WORD = 32n;

/** A packed decimal: the lower two words of its digits, and two bytes with the last digits and the sign. */
export const packed = { top: 0, high: 0, low: 0 };

/** Takes a packed decimal apart. A digit above 9 counts as what it is. */
export function unpackDecimal(into: Operand, top: number, high: number, low: number): void {
  let value = BigInt(decimal(top & 0xff, 2));
  value = value * 100000000n + BigInt(decimal(high, 8));
  value = value * 100000000n + BigInt(decimal(low, 8));
  const sign = top & SIGN;
  const upper = Number(BigInt.asIntN(32, value >> WORD));
  into.setFinite(sign, EXPONENT_BIAS + 63, upper, Number(BigInt.asIntN(32, value)));
}

function decimal(word: number, digits: number): number {
  let value = 0;
  for (let i = digits - 1; i >= 0; i--) value = value * 10 + ((word >>> (i * 4)) & 15);
  return value;
}

/**
 * Converts to a packed decimal by the rounding control, into `packed`. What takes more than 18 digits is
 * invalid, and gives the packed decimal indefinite.
 * @returns false where an unmasked exception forbids to store it.
 */
export function packDecimal(a: Operand): boolean {
  if ((a.kind & (KIND_NO_NUMBER | KIND_INFINITY)) === 0 && toWhole(a)) {
    const value = (BigInt(whole.high >>> 0) << WORD) | BigInt(whole.low >>> 0);
    if (value < LIMIT) {
      const digits = value.toString().padStart(DIGITS, '0');
      packed.top = a.sign | Number.parseInt(digits.slice(0, 2), 16);
      packed.high = Number.parseInt(digits.slice(2, 10), 16) | 0;
      packed.low = Number.parseInt(digits.slice(10), 16) | 0;
      return true;
    }
    forgetRounding();
  }
  unit.invalid();
  packed.top = 0xffff;
  packed.high = TOP_BIT | 0x40000000;
  packed.low = 0;
  return !unit.isStopped;
}
