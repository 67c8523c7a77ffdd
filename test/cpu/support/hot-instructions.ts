/** Arbitrary instructions of the kinds that are compiled, whole: with ModRM, SIB, displacement, immediates. */
import fc from 'fast-check';
import { DATA_SELECTORS } from './same-runs.js';

const reg = fc.integer({ min: 0, max: 7 });
/** ESP is left alone as a destination, so that stacks stay where they are. */
const target = fc.constantFrom(0, 1, 2, 3, 5, 6, 7);
const byte = fc.integer({ min: 0, max: 255 });

function dword(value: number): number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
}

/** ModRM and what follows, for a given reg field. */
const operand = (field: number): fc.Arbitrary<number[]> =>
  fc.oneof(
    target.map((rm) => [0xc0 | (field << 3) | rm]),
    fc.constantFrom(0, 1, 2, 3, 6, 7).map((rm) => [(field << 3) | rm]),
    fc.tuple(fc.constantFrom(0, 3, 5, 6, 7), byte).map(([rm, d]) => [0x40 | (field << 3) | rm, d]),
    fc
      .tuple(fc.constantFrom(0, 3, 6), target, fc.integer({ min: 0, max: 3 }), byte)
      .map(([base, index, scale, d]) => [
        0x44 | (field << 3),
        (scale << 6) | (index << 3) | base,
        d,
      ]),
    fc.integer({ min: 0x30000, max: 0x31000 }).map((at) => [(field << 3) | 5, ...dword(at)]),
  );
const withOperand = (opcode: number[], field: fc.Arbitrary<number>): fc.Arbitrary<number[]> =>
  field.chain((f) => operand(f)).map((modrm) => [...opcode, ...modrm]);

const prefix = fc.constantFrom<number[][]>([], [], [0x66]);
const wide = (instruction: fc.Arbitrary<number[]>): fc.Arbitrary<number[]> =>
  fc.tuple(prefix, instruction).map(([p, bytes]) => [...p, ...bytes]);

const alu = fc
  .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 3 }))
  .chain(([op, form]) => wide(withOperand([op * 8 + form], target)));
const oneOperand = fc
  .constantFrom(0xf6, 0xf7)
  .chain((op) => wide(withOperand([op], fc.integer({ min: 2, max: 7 }))));
const shifts = fc.constantFrom(0xd0, 0xd1, 0xd2, 0xd3).chain((op) => wide(withOperand([op], reg)));
const immediateShift = fc
  .tuple(
    fc.constantFrom(0xc0, 0xc1).chain((op) => withOperand([op], reg)),
    byte,
  )
  .map(([bytes, count]) => [...bytes, count]);
const twoByte = fc
  .constantFrom(
    0xa3,
    0xab,
    0xb3,
    0xbb,
    0xaf,
    0xb6,
    0xb7,
    0xbe,
    0xbf,
    0xbc,
    0xbd,
    0xc0,
    0xc1,
    0xb0,
    0xb1,
    0xa5,
    0xad,
  )
  .chain((op) => wide(withOperand([0x0f, op], target)));
const condition = fc.integer({ min: 0, max: 15 });
const conditional = fc.oneof(
  condition.chain((c) => withOperand([0x0f, 0x40 | c], target)),
  condition.chain((c) => withOperand([0x0f, 0x90 | c], reg)),
);
const moves = fc.oneof(
  fc
    .constantFrom(0x88, 0x89, 0x8a, 0x8b, 0x86, 0x87, 0x84, 0x85)
    .chain((op) => wide(withOperand([op], target))),
  fc.tuple(target, fc.integer()).map(([r, n]) => [0xb8 | r, ...dword(n)]),
  target.map((r) => [0x8d, 0x44 | (r << 3), 0x33, 0x10]),
);
const stack = fc.oneof(
  reg.map((r) => [0x50 | r]),
  target.map((r) => [0x58 | r]),
  fc.constant<number[]>([0x8f, 0x04, 0x24]),
  byte.map((b) => [0x6a, b]),
);
const jumps = fc.oneof(
  fc.tuple(condition, fc.integer({ min: 0, max: 12 })).map(([c, by]) => [0x70 | c, by]),
  fc.tuple(condition, fc.integer({ min: -40, max: 0 })).map(([c, by]) => [0x70 | c, by & 255]),
  fc.constant<number[]>([0xe2, 0xfe]),
  fc.constant<number[]>([0xe8, 0, 0, 0, 0, 0x58]),
  fc.constant<number[]>([0xe8, 1, 0, 0, 0, 0x90, 0x83, 0xc4, 4]),
);
const others = fc.constantFrom<number[][]>(
  [0x40],
  [0x4b],
  [0x66, 0x47],
  [0x98],
  [0x99],
  [0x9e],
  [0x9f],
  [0xf5],
  [0xf8],
  [0xf9],
  [0xfc],
  [0xfd],
  [0xa4],
  [0xa5],
  [0xaa],
  [0xab],
  [0xac],
  [0xaf],
  [0xa7],
  [0xf3, 0xa4],
  [0xf2, 0xaf],
  [0x0f, 0xc9],
  [0xd7],
  [0xc9],
  [0x90],
  [0xfa],
  [0xfb],
  [0x9c],
  [0x9d],
  // RDTSC, CPUID, IN, OUT (which raises an interrupt), PUSHA, POPA, MOV AX,DS, FLD1, CMPXCHG8B
  [0x0f, 0x31],
  [0x0f, 0xa2],
  [0xe4, 0x40],
  [0xe6, 0x40],
  [0x60],
  [0x61],
  [0x8c, 0xd8],
  [0xd9, 0xe8],
  [0x0f, 0xc7, 0x0f],
);
/** INT through the handlers that return at once. */
const softwareInterrupt = byte.map((vector) => [0xcd, vector]);
/** MOV ECX and a repeated MOVS or STOS, over the data page and beyond its end. */
const repeated = fc
  .tuple(
    fc.integer({ min: 0, max: 3000 }),
    fc.constantFrom(0x30000, 0x30001, 0x30800, 0x30ff8),
    fc.constantFrom(0x30000, 0x30002, 0x30100, 0x30ff0),
    fc.constantFrom<number[]>(
      [0xf3, 0xa4],
      [0xf3, 0xa5],
      [0xf3, 0xaa],
      [0xf3, 0xab],
      [0xf3, 0x66, 0xa5],
    ),
  )
  .map(([count, from, to, rep]) => [
    ...[0xb9, ...dword(count), 0xbe, ...dword(from), 0xbf, ...dword(to)],
    ...rep,
  ]);
/** MOV EAX and MOV to ES, DS or FS; then a load or a store that may lie beyond the segment's limit. */
const limited = fc
  .tuple(
    fc.constantFrom(...DATA_SELECTORS),
    fc.constantFrom(0xc0, 0xd8, 0xe0),
    fc.constantFrom(0x307f0, 0x307fd, 0x30800, 0x30ffd),
    fc.constantFrom<number[][]>([0x8b, 0x15], [0x89, 0x15], [0x26, 0x8b, 0x0d], [0x64, 0x01, 0x1d]),
  )
  .map(([selector, register, at, access]) => [
    ...[0xb8, ...dword(selector), 0x8e, register],
    ...[...access, ...dword(at)],
  ]);
/** Accesses by one register around the ends of pages: data, then none; swapped ones. */
const framed = fc
  .tuple(
    fc.constantFrom(0x30fe0, 0x31000, 0x32010, 0x32ff0, 0x33000, 0x33ff8),
    fc.array(
      fc.tuple(
        fc.constantFrom<number[]>([0x8b], [0x89], [0x01], [0x88], [0x66, 0x8b], [0x0f, 0xb6]),
        target,
        fc.constantFrom(0, 1, 4, 0x0e, 0x10, 0x1d, 0x20, 0x60, 0xf0, 0xf8, 0xfd),
      ),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([at, accesses]) => [
    ...[0xbd, ...dword(at)],
    ...accesses.flatMap(([opcode, r, by]) => [...opcode, 0x45 | (r === 5 ? 0 : r << 3), by]),
  ]);
/** A store over the loop's own code, most often over immediates and displacements further on. */
const selfModification = fc
  .tuple(byte, fc.integer({ min: 0, max: 0x40 }))
  .map(([value, at]) => [0xc6, 0x05, ...dword(0x20123 + at), value]);

export const hotInstruction: fc.Arbitrary<number[]> = fc.oneof(
  { weight: 6, arbitrary: alu },
  { weight: 2, arbitrary: oneOperand },
  { weight: 2, arbitrary: shifts },
  { weight: 1, arbitrary: immediateShift },
  { weight: 3, arbitrary: twoByte },
  { weight: 2, arbitrary: conditional },
  { weight: 4, arbitrary: moves },
  { weight: 2, arbitrary: stack },
  { weight: 3, arbitrary: jumps },
  { weight: 3, arbitrary: others },
  { weight: 1, arbitrary: repeated },
  { weight: 1, arbitrary: limited },
  { weight: 2, arbitrary: framed },
  { weight: 1, arbitrary: softwareInterrupt },
  { weight: 1, arbitrary: selfModification },
);
