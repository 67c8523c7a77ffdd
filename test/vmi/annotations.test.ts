/** The annotation table: what is accepted, and that nothing is touched where anything isn't. */
import { expect, test } from 'vitest';
import { UserError } from '../../src/machine/user-error.js';
import { readAnnotations } from '../../src/vmi/annotations.js';
import { buildRegion } from '../../src/vmi/stubs.js';
import {
  BYTES,
  fuzzAnnotations,
  memoryWith,
  read,
  SITES,
  TABLE,
} from './support/annotation-table.js';

test('a good table gives its sites in the order of their addresses', () => {
  const memory = memoryWith([{ site: 0x200 }, { site: 0x180 }]);
  expect(read(memory, 2)).toMatchObject([
    { address: 0x180, length: 5, call: { name: 'DisableInterrupts' } },
    { address: 0x200 },
  ]);
});

test.each([
  [{ call: 3 }, 'call 3 is not served'],
  [{ site: 0xffc }, 'its site, 5 bytes at 0x00000ffc, lies outside the image'],
  [{ site: 0xfffffffe }, 'its site, 5 bytes at 0xfffffffe, lies outside the image'],
  [{ length: 4 }, 'its site is 4 bytes long, shorter than a CALL'],
  [{ padding: 5 }, "5 bytes of padding don't fit a DisableInterrupts of 5 bytes"],
  [{ padding: -1 }, "-1 bytes of padding don't fit a DisableInterrupts of 5 bytes"],
  [{ call: 39 }, 'there is no IRET at its site 0x00000108'],
  [{ translation: 0x2000 }, 'its translation, 5 bytes at 0x00002000, lies outside the image'],
  [{ callOffset: 1 }, 'its translation has no CALL at offset 1'],
  [{ translationLength: 10 }, 'its translation passes arguments on the stack'],
  [{ site: SITES + 4 }, 'its site at 0x00000100 overlaps that of annotation 1'],
] as const)('a record with %o is named, with what is wrong', (wrong, reason) => {
  const memory = memoryWith([{}, wrong]);
  expect(() => read(memory, 2)).toThrow(UserError);
  expect(() => read(memory, 2)).toThrow(reason);
  expect(() => read(memory, 2)).toThrow(
    /^kernel\.elf: annotation [01] at 0x000008[01]0: .*nothing was patched$/,
  );
});

test('a site in the table itself is refused', () => {
  const memory = memoryWith([{}, {}]);
  memory[TABLE + 20] = TABLE & 0xff;
  memory[TABLE + 21] = TABLE >> 8;
  memory[TABLE] = 36;
  expect(() => read(memory, 2)).toThrow(UserError);
});

test('a table of no whole number of records is refused', () => {
  const bounds = { first: TABLE, end: TABLE + 15, segments: [{ first: 0, end: BYTES }] };
  expect(() => readAnnotations('kernel.elf', memoryWith([]), bounds)).toThrow(UserError);
});

test('any bytes give sites inside the image, each in its own place, or one line that says why not', () => {
  fuzzAnnotations(2000, 20060313);
});

test.each(['naive', 'rollforward'] as const)('the region of %s fits its page', (scheme) => {
  expect(buildRegion(scheme).bytes.length).toBeLessThanOrEqual(4096);
});
