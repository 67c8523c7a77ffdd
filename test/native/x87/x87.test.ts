/**
 * Every x87 instruction against the processor that the tests run on: the whole state after it, to the
 * bit. The functions without an exact result may differ in the last place, and in C1; what they give
 * outside their domain is compared with a processor of the same vendor alone.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { type CaseOptions, makeCases } from './cases.js';
import { compare } from './comparison.js';
import { EmulatedProcessor } from './emulated.js';
import { CONTROL_FORMS, EXACT_FORMS, FUNCTION_FORMS } from './forms.js';
import { MEASURED, measure } from './functions.js';
import { alignFunctionResults, ignoreC1 } from './last-place.js';
import { NativeProcessor } from './native.js';
import { isSameVendor, undefinedMask } from './vendor.js';

const CASES = 1500;
const MEASURED_CASES = 50;

const native = NativeProcessor.build();
const emulated = new EmulatedProcessor();
afterAll(() => native?.dispose());

const reason = native === null ? ' (needs gcc -m32)' : '';

const SETTINGS: readonly (readonly [string, CaseOptions])[] = [
  ['all exceptions masked', { unmasks: false, faultsStack: false }],
  ['any exceptions unmasked, any registers empty', { unmasks: true, faultsStack: true }],
];

describe.skipIf(native === null).each(SETTINGS)(
  `natively and emulated, %s${reason}`,
  (_, options) => {
    test.each([...EXACT_FORMS, ...CONTROL_FORMS])('$name', (form) => {
      const cases = makeCases(form, CASES, 1, options);
      expect(compare(cases, native!, emulated, { mask: undefinedMask(form) })).toBe('');
    });

    test.skipIf(!isSameVendor).each(FUNCTION_FORMS)('$name, but for the last place', (form) => {
      const cases = makeCases(form, CASES, 2, options);
      const how = { mask: ignoreC1, align: alignFunctionResults };
      expect(compare(cases, native!, emulated, how)).toBe('');
    });
  },
);

test.each(MEASURED)('$name of $st0 is correctly rounded', (row) => {
  const found = measure(row, MEASURED_CASES, 1, native);
  expect(found.worst).toBeLessThanOrEqual(0.5);
  expect(found.worstToNative ?? 0).toBeLessThanOrEqual(1);
});
