/** The annotation table: what is accepted, and that nothing is touched where anything isn't. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../../src/machine/user-error.js';
import { readAnnotations } from '../../src/vmi/annotations.js';
import { buildRegion } from '../../src/vmi/stubs.js';

const TABLE = 0x800;
const SITES = 0x100;
const TRANSLATION = 0x400;
const BYTES = 0x1000;

interface Fields {
  call: number;
  site: number;
  translation: number;
  length: number;
  translationLength: number;
  padding: number;
  callOffset: number;
}

function memoryWith(records: readonly Partial<Fields>[]): Uint8Array {
  const memory = new Uint8Array(BYTES).fill(0x90);
  const view = new DataView(memory.buffer);
  records.forEach((record, index) => {
    const site = record.site ?? SITES + index * 8;
    const at = TABLE + index * 16;
    if (site < TABLE) memory[site] = 0xfa;
    view.setUint32(at, record.call ?? 36, true);
    view.setUint32(at + 4, site, true);
    view.setUint32(at + 8, record.translation ?? TRANSLATION, true);
    view.setUint8(at + 12, record.length ?? 5);
    view.setUint8(at + 13, record.translationLength ?? 5);
    view.setInt8(at + 14, record.padding ?? 4);
    view.setUint8(at + 15, record.callOffset ?? 0);
  });
  memory.set([0xe8, 0, 0, 0, 0], TRANSLATION);
  return memory;
}

function read(memory: Uint8Array, count: number): unknown {
  const bounds = { first: TABLE, end: TABLE + count * 16, segments: [{ first: 0, end: BYTES }] };
  return readAnnotations('kernel.elf', memory, bounds);
}

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
  const word = fc.oneof(
    fc.integer({ min: 0, max: 0xfff }),
    fc.integer({ min: 0, max: 0xffffffff }),
  );
  const byte = fc.integer({ min: 0, max: 12 });
  const record = fc.record(
    {
      call: fc.constantFrom(5, 24, 35, 36, 39, 40, 0, 99),
      site: fc.integer({ min: 0x100, max: 0x180 }),
      translation: fc.oneof(fc.constant(TRANSLATION), word),
      length: byte,
      translationLength: fc.constantFrom(5, 5, 5, 0, 6),
      padding: fc.integer({ min: -2, max: 6 }),
      callOffset: fc.constantFrom(0, 0, 0, 1, 255),
    },
    { requiredKeys: ['site'] },
  );
  fc.assert(
    fc.property(fc.array(record, { maxLength: 6 }), (records) => {
      const memory = memoryWith(records);
      const before = memory.slice();
      try {
        const sites = read(memory, records.length) as { address: number; length: number }[];
        sites.forEach((site, index) => {
          const end = site.address + site.length;
          expect(end).toBeLessThanOrEqual(sites.at(index + 1)?.address ?? BYTES);
        });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.message).not.toContain('\n');
      }
      expect(Buffer.compare(memory, before)).toBe(0);
    }),
    { numRuns: 2_000 },
  );
});

test.each(['naive', 'rollforward'] as const)('the region of %s fits its page', (scheme) => {
  expect(buildRegion(scheme).bytes.length).toBeLessThanOrEqual(4096);
});
