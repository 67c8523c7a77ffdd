import { describe, expect, test } from 'vitest';
import {
  CR0_EM,
  CR0_ET,
  CR0_MP,
  CR0_NE,
  CR0_PE,
  CR0_TS,
} from '../../../src/cpu/control-registers.js';
import { VECTOR_MF, VECTOR_NM, VECTOR_UD } from '../../../src/cpu/fault.js';
import * as L from '../../../src/cpu/state-layout.js';
import { Program } from '../support/program.js';
import { CODE, DATA, faults } from '../system/processor.js';
import { FADD, FDIVP, FLD1, FLDZ, FNINIT, FpuProcessor, memory, WAIT } from './fpu-processor.js';

const NM = faults(VECTOR_NM);
const UD = faults(VECTOR_UD);
const MF = faults(VECTOR_MF);
const ZE = 4;
const ES_AND_B = 0x8080;

// Intel SDM vol. 3A, table 2-2.
// biome-ignore format: table
test.each([
  ['nothing',       0,                        'done', 'done'],
  ['TS',            CR0_TS,                   NM,     'done'],
  ['MP',            CR0_MP,                   'done', 'done'],
  ['MP and TS',     CR0_MP | CR0_TS,          NM,     NM],
  ['EM',            CR0_EM,                   NM,     'done'],
  ['EM and TS',     CR0_EM | CR0_TS,          NM,     'done'],
  ['EM and MP',     CR0_EM | CR0_MP,          NM,     'done'],
  ['EM, MP and TS', CR0_EM | CR0_MP | CR0_TS, NM,     NM],
])('ESC and WAIT with %s set in CR0', (_, bits, escOutcome, waitOutcome) => {
  const p = new FpuProcessor();
  p.state.set(L.CR0, CR0_PE | CR0_ET | CR0_NE | bits);
  expect(p.run(FLD1)).toEqual(escOutcome);
  expect(p.run(FNINIT)).toEqual(escOutcome);
  expect(p.run(WAIT)).toEqual(waitOutcome);
});

/** Register forms that name no instruction, by opcode: first and last ModRM byte. */
const UNDEFINED: readonly (readonly [number, number, number])[] = [
  [0xd9, 0xd1, 0xd7],
  [0xd9, 0xe2, 0xe3],
  [0xd9, 0xe6, 0xe7],
  [0xd9, 0xef, 0xef],
  [0xda, 0xe0, 0xe8],
  [0xda, 0xea, 0xff],
  [0xdb, 0xe5, 0xe7],
  [0xdb, 0xf8, 0xff],
  [0xdd, 0xf0, 0xff],
  [0xde, 0xd8, 0xd8],
  [0xde, 0xda, 0xdf],
  [0xdf, 0xe1, 0xe7],
  [0xdf, 0xf8, 0xff],
];

describe('what names no instruction is #UD', () => {
  const isUndefined = (opcode: number, modrm: number): boolean =>
    UNDEFINED.some(([at, first, last]) => opcode === at && modrm >= first && modrm <= last);

  test('in register form, and nothing else is', () => {
    const p = new FpuProcessor();
    for (let opcode = 0xd8; opcode <= 0xdf; opcode++) {
      for (let modrm = 0xc0; modrm <= 0xff; modrm++) {
        p.run(FNINIT);
        const outcome = p.run([opcode, modrm]);
        expect(outcome, `${opcode.toString(16)} ${modrm.toString(16)}`).toEqual(
          isUndefined(opcode, modrm) ? UD : 'done',
        );
      }
    }
  });

  test.each([
    [0xd9, 1],
    [0xdb, 1],
    [0xdb, 4],
    [0xdb, 6],
    [0xdd, 1],
    [0xdd, 5],
    [0xdf, 1],
  ])('in memory: %x /%i', (opcode, reg) => {
    expect(new FpuProcessor().run(memory(opcode, reg))).toEqual(UD);
  });

  test('but #NM comes first', () => {
    const p = new FpuProcessor();
    p.state.set(L.CR0, p.state.cr0 | CR0_TS);
    expect(p.run([0xd9, 0xd1])).toEqual(NM);
  });

  test.each([
    ['FCMOVB', [0xda, 0xc1]],
    ['FCMOVNU', [0xdb, 0xd9]],
    ['FCOMI', [0xdb, 0xf1]],
    ['FUCOMIP', [0xdf, 0xe9]],
  ])('%s is one before the 686', (_, code) => {
    for (const level of [386, 486, 586, 686] as const) {
      const program = new Program(code, 0, { level });
      program.step(1);
      expect(program.deliveries.at(0)?.vector).toBe(level < 686 ? VECTOR_UD : undefined);
    }
  });
});

/** 1 / 0 with that unmasked: an exception waits. */
function withError(): FpuProcessor {
  const p = new FpuProcessor();
  p.control = 0x37f & ~ZE;
  p.run(FLD1);
  p.run(FLDZ);
  expect(p.run(FDIVP)).toBe('done');
  return p;
}

describe('an unmasked exception', () => {
  test('leaves the registers as they are, and sets ES and B', () => {
    const p = withError();
    expect(p.status & (ES_AND_B | 0x3f)).toBe(ES_AND_B | ZE);
    expect(p.st(0)).toBe('0000:0000000000000000');
    expect(p.st(1)).toBe('3fff:8000000000000000');
  });

  test.each([
    ['WAIT', WAIT],
    ['FADD', FADD],
    ['FNOP', [0xd9, 0xd0]],
    ['FLDCW', memory(0xd9, 5)],
    ['FLDENV', memory(0xd9, 4)],
    ['FRSTOR', memory(0xdd, 4)],
    ['FLD m64', memory(0xdd, 0)],
  ])('is #MF at %s', (_, code) => {
    expect(withError().run(code)).toEqual(MF);
  });

  test.each([
    ['FNSTSW AX', [0xdf, 0xe0]],
    ['FNSTSW', memory(0xdd, 7)],
    ['FNSTCW', memory(0xd9, 7)],
    ['FNSTENV', memory(0xd9, 6)],
    ['FNSAVE', memory(0xdd, 6)],
    ['FNCLEX', [0xdb, 0xe2]],
    ['FNINIT', FNINIT],
    ['FNENI', [0xdb, 0xe0]],
    ['FXSAVE', [0x0f, 0xae, 0x05, 0x00, 0x80, 0, 0]],
  ])('is let be by %s', (_, code) => {
    expect(withError().run(code)).toBe('done');
  });

  test('is #MF before the page fault of a memory operand', () => {
    const p = withError();
    p.enablePaging();
    p.unmap(DATA);
    expect(p.run(memory(0xdd, 0))).toEqual(MF);
  });

  test('goes when FNCLEX clears it, or FLDCW masks it', () => {
    const cleared = withError();
    cleared.run([0xdb, 0xe2]);
    expect(cleared.status & (ES_AND_B | 0x7f)).toBe(0);
    expect(cleared.run(WAIT)).toBe('done');
    const masked = withError();
    masked.run(memory(0xd9, 6));
    expect(masked.status & (ES_AND_B | 0x7f)).toBe(ZE);
    expect(masked.run(WAIT)).toBe('done');
  });

  test('comes when FLDCW unmasks what is flagged', () => {
    const p = new FpuProcessor();
    p.run(FLD1);
    p.run(FLDZ);
    p.run(FDIVP);
    expect(p.status & (ES_AND_B | 0x3f)).toBe(ZE);
    p.control = 0x340;
    expect(p.status & ES_AND_B).toBe(ES_AND_B);
    expect(p.run(WAIT)).toEqual(MF);
  });
});

describe('the pointers', () => {
  test('name the last instruction that was no control instruction, prefixes included', () => {
    const p = new FpuProcessor();
    p.state.eip = CODE + 0x10;
    p.run([0x2e, ...memory(0xdc, 0)]);
    p.run(memory(0xd9, 7));
    p.run([0xdb, 0xe2]);
    p.run(WAIT);
    expect(p.state.get(L.FPU_CODE_OFFSET)).toBe(CODE + 0x10);
    expect(p.state.get(L.FPU_CODE_SELECTOR)).toBe(p.state.selector(L.SEG_CS));
    expect(p.state.get(L.FPU_OPCODE)).toBe(0x405);
    expect(p.state.get(L.FPU_DATA_OFFSET)).toBe(DATA);
    expect(p.state.get(L.FPU_DATA_SELECTOR)).toBe(p.state.selector(L.SEG_CS));
  });

  test('of data stay where an instruction has none', () => {
    const p = new FpuProcessor();
    p.run(memory(0xdd, 0));
    p.run(FADD);
    expect(p.state.get(L.FPU_DATA_OFFSET)).toBe(DATA);
    expect(p.state.get(L.FPU_OPCODE)).toBe(0x0c1);
  });

  test('stay where the memory operand faults', () => {
    const p = new FpuProcessor();
    p.run(FLD1);
    p.enablePaging();
    p.makeReadOnly(DATA);
    p.run(FLD1);
    const at = p.state.get(L.FPU_CODE_OFFSET);
    p.state.eip += 0x100;
    expect(p.run(memory(0xdd, 3))).toEqual(faults(14, 3));
    expect(p.state.get(L.FPU_CODE_OFFSET)).toBe(at);
  });
});
