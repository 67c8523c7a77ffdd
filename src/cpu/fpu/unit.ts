/**
 * The arithmetic unit between taking its operands and giving its result: what an operation needs of the
 * control word, the result, and what the status word is to hear of it.
 *
 * There is one, as operations never nest and never outlast an instruction: nothing in it is state.
 */
import {
  FPU_BEFORE_RESULT,
  FPU_CONTROL_INITIAL,
  FPU_DE,
  FPU_IE,
  FPU_ZE,
} from './control-status.js';
import { EXPONENT_MAX, KIND_DENORMAL, QUIET_BIT, SIGN, TOP_BIT } from './operand.js';

class ArithmeticUnit {
  control = FPU_CONTROL_INITIAL;
  /** Exceptions of this operation, `FPU_IE` to `FPU_PE`, and `FPU_SF`. */
  exceptions = 0;
  /** FPU_C1 where the result was rounded away from zero, or the stack overflowed; else 0. */
  c1 = 0;
  /** The result: sign and exponent in 16 bits, and the significand. */
  signExponent = 0;
  high = 0;
  low = 0;

  begin(control: number): void {
    this.control = control;
    this.exceptions = 0;
    this.c1 = 0;
  }

  /** An exception forbids to write the result. */
  get isStopped(): boolean {
    return (this.exceptions & ~this.control & FPU_BEFORE_RESULT) !== 0;
  }

  set(signExponent: number, high: number, low: number): void {
    this.signExponent = signExponent;
    this.high = high;
    this.low = low;
  }

  setZero(sign: number): void {
    this.set(sign, 0, 0);
  }

  setInfinity(sign: number): void {
    this.set(sign | EXPONENT_MAX, TOP_BIT, 0);
  }

  /** The real indefinite: what an invalid operation gives where it is masked. */
  setIndefinite(): void {
    this.set(SIGN | EXPONENT_MAX, TOP_BIT | QUIET_BIT, 0);
  }

  /** An invalid operation. */
  invalid(): void {
    this.exceptions |= FPU_IE;
    this.setIndefinite();
  }

  /**
   * Notes a denormal among the operands.
   * @param kinds of all operands, or'ed.
   * @returns false where that exception is unmasked, and the operation goes no further.
   */
  admits(kinds: number): boolean {
    if ((kinds & KIND_DENORMAL) === 0) return true;
    this.exceptions |= FPU_DE;
    return (this.control & FPU_DE) !== 0;
  }

  /** A finite number divided by zero. */
  divideByZero(sign: number): void {
    this.exceptions |= FPU_ZE;
    this.setInfinity(sign);
  }
}

export const unit = new ArithmeticUnit();
