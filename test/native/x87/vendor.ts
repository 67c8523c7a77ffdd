/**
 * What the manual leaves undefined is AMD's in the emulator, as that is the processor it was measured on.
 * On any other it is not compared.
 */
import { cpus } from 'node:os';
import type { Mask } from './comparison.js';
import type { Form } from './forms.js';
import { RECORD_STATE } from './native.js';

/** The tests run on a processor of the vendor that the emulator follows. */
export const isSameVendor: boolean = cpus().at(0)?.model.includes('AMD') ?? false;

const STATUS_HIGH = RECORD_STATE + 5;
const C1 = 0x02;
const CONDITION = 0x45;
const COMPARISONS = /^(fu?com|ftst|fxam|fprem|fn?st(sw|env)|fnsave|fldenv|frstor|wait)/;
const WITHOUT_C1 = /^(fnop|ffree|fcmov|fu?comi|fn?(clex|stcw|stsw|eni|disi|setpm)|fldcw)/;

/** Sets to zero the condition codes that a form leaves undefined, unless they can be compared. */
export function undefinedMask(form: Form): Mask {
  if (isSameVendor) return () => undefined;
  const isComparison = COMPARISONS.test(form.name) && !/^fu?comi/.test(form.name);
  const mask = (isComparison ? 0 : CONDITION) | (WITHOUT_C1.test(form.name) ? C1 : 0);
  return (record) => {
    record[STATUS_HIGH] &= ~mask;
  };
}
