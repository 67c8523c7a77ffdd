/**
 * 100,000 random operands for each x87 operation, in every precision and rounding, against the processor
 * that this runs on: to the bit. `X87_SEED` chooses other operands.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { makeCases } from '../native/x87/cases.js';
import { compare } from '../native/x87/comparison.js';
import { EmulatedProcessor } from '../native/x87/emulated.js';
import { EXACT_FORMS, type Form } from '../native/x87/forms.js';
import { NativeProcessor, RECORD_BYTES, RECORD_STATE } from '../native/x87/native.js';
import { undefinedMask } from '../native/x87/vendor.js';

const OPERANDS = 100_000;
const MINUTES = 60_000;
const PRECISIONS = [0, 2, 3];
const ROUNDINGS = [0, 1, 2, 3];
/** What has no arithmetic, and so no precision and rounding to go through. */
const WITHOUT_ARITHMETIC =
  /^(fxch|ffree|f(inc|dec)stp|fnop|fcmov|fchs|fabs|fst st|fstp st|fld st|fxam)/;

const native = NativeProcessor.build();
const emulated = new EmulatedProcessor();
afterAll(() => native?.dispose());

function setControl(cases: Buffer, precision: number, rounding: number): void {
  for (let at = 0; at < cases.length; at += RECORD_BYTES) {
    cases[at + RECORD_STATE + 1] = (rounding << 2) | precision;
  }
}

const forms = EXACT_FORMS.filter((form: Form) => !WITHOUT_ARITHMETIC.test(form.name));
const seed = Number(process.env['X87_SEED'] ?? 1);

describe.skipIf(native === null)('natively and emulated (needs gcc -m32)', () => {
  test.each(forms)(
    '$name',
    (form) => {
      const cases = makeCases(form, OPERANDS, seed, { unmasks: false, faultsStack: false });
      for (const precision of PRECISIONS) {
        for (const rounding of ROUNDINGS) {
          setControl(cases, precision, rounding);
          const where = `precision ${precision}, rounding ${rounding}`;
          expect(compare(cases, native!, emulated, { mask: undefinedMask(form) }), where).toBe('');
        }
      }
    },
    30 * MINUTES,
  );

  test.each(forms)(
    '$name with exceptions unmasked and registers empty',
    (form) => {
      const cases = makeCases(form, OPERANDS, seed + 1, { unmasks: true, faultsStack: true });
      expect(compare(cases, native!, emulated, { mask: undefinedMask(form) })).toBe('');
    },
    10 * MINUTES,
  );
});
