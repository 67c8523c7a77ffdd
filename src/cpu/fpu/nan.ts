/** Which NaN comes out where NaNs went in. Intel SDM vol. 1 §4.8.3.5, table 4-7. */
import { FPU_IE } from './control-status.js';
import {
  EXPONENT_MAX,
  KIND_NO_NUMBER,
  KIND_QUIET_NAN,
  KIND_SIGNALING_NAN,
  KIND_UNSUPPORTED,
  type Operand,
  QUIET_BIT,
} from './operand.js';
import { unit } from './unit.js';

/** The unit's result is this NaN, made quiet. A signaling or unsupported operand is invalid. */
export function propagate(a: Operand): void {
  if (a.kind === KIND_UNSUPPORTED) {
    unit.invalid();
    return;
  }
  if (a.kind === KIND_SIGNALING_NAN) unit.exceptions |= FPU_IE;
  quiet(a);
}

/**
 * The unit's result for two operands of which one at least is no number: of two NaNs the one with the
 * larger significand, but a quiet one before a signaling one.
 */
export function propagateOne(a: Operand, b: Operand): void {
  const kinds = a.kind | b.kind;
  if (kinds & KIND_UNSUPPORTED) {
    unit.invalid();
    return;
  }
  if (kinds & KIND_SIGNALING_NAN) unit.exceptions |= FPU_IE;
  if ((b.kind & KIND_NO_NUMBER) === 0) quiet(a);
  else if ((a.kind & KIND_NO_NUMBER) === 0) quiet(b);
  else if (a.kind !== b.kind) quiet(a.kind === KIND_QUIET_NAN ? a : b);
  else quiet(isSecondLarger(a, b) ? b : a);
}

/** By significand; of equal ones the positive is the larger. */
function isSecondLarger(a: Operand, b: Operand): boolean {
  if (a.high !== b.high) return a.high >>> 0 < b.high >>> 0;
  if (a.low !== b.low) return a.low >>> 0 < b.low >>> 0;
  return b.sign < a.sign;
}

function quiet(a: Operand): void {
  unit.set(a.sign | EXPONENT_MAX, a.high | QUIET_BIT, a.low);
}
