/** Annotation tables, and what must hold of any of them. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { UserError } from '../../../src/machine/user-error.js';
import { readAnnotations } from '../../../src/vmi/annotations.js';

export const TABLE = 0x800;
export const SITES = 0x100;
const TRANSLATION = 0x400;
export const BYTES = 0x1000;

interface Fields {
  call: number;
  site: number;
  translation: number;
  length: number;
  translationLength: number;
  padding: number;
  callOffset: number;
}

/** An image's memory with these records; what is not given is right. */
export function memoryWith(records: readonly Partial<Fields>[]): Uint8Array {
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

/** Reads so many records. @throws UserError */
export function read(memory: Uint8Array, count: number): unknown {
  const bounds = { first: TABLE, end: TABLE + count * 16, segments: [{ first: 0, end: BYTES }] };
  return readAnnotations('kernel.elf', memory, bounds);
}

/** Any bytes give sites inside the image, each in its own place, or one line that says why not. */
export function fuzzAnnotations(numRuns: number, seed: number): void {
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
    { numRuns, seed },
  );
}
