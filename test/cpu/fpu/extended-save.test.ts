import { describe, expect, test } from 'vitest';
import { CR0_EM, CR0_TS } from '../../../src/cpu/control-registers.js';
import { VECTOR_GP, VECTOR_NM, VECTOR_PF } from '../../../src/cpu/fault.js';
import * as L from '../../../src/cpu/state-layout.js';
import { DATA, faults } from '../system/processor.js';
import { FLD1, FLDPI, FpuProcessor, memory } from './fpu-processor.js';

const FXSAVE = [0x0f, ...memory(0xae, 0)];
const FXRSTOR = [0x0f, ...memory(0xae, 1)];

function processor(): FpuProcessor {
  const p = new FpuProcessor();
  p.run(FLD1);
  p.run(FLDPI);
  p.run(memory(0xdd, 2));
  return p;
}

describe('FXSAVE', () => {
  test('stores words, pointers and registers, and leaves the state as it is', () => {
    const p = processor();
    p.run(FXSAVE);
    expect(p.word(DATA)).toBe(0x37f);
    expect(p.word(DATA + 2)).toBe(p.status);
    expect(p.word(DATA + 4)).toBe(0xc0);
    expect(p.word(DATA + 6)).toBe(0x515);
    expect(p.dword(DATA + 8)).toBe(p.state.get(L.FPU_CODE_OFFSET));
    expect(p.dword(DATA + 16)).toBe(DATA);
    expect(p.dword(DATA + 32)).toBe(0x2168c235);
    expect(p.dword(DATA + 36)).toBe(0xc90fdaa2);
    expect(p.dword(DATA + 40)).toBe(0x4000);
    expect(p.word(DATA + 56)).toBe(0x3fff);
    expect(p.st(1)).toBe('3fff:8000000000000000');
  });

  test('leaves the fields of MXCSR and the XMM registers alone', () => {
    const p = processor();
    for (let at = 0; at < 512; at += 4) p.poke(DATA + at, 4, 0x5a5a5a5a);
    p.run(FXSAVE);
    expect(p.dword(DATA + 24)).toBe(0x5a5a5a5a);
    expect(p.dword(DATA + 160)).toBe(0x5a5a5a5a);
    expect(p.dword(DATA + 508)).toBe(0x5a5a5a5a);
  });

  test('and FXRSTOR brings it all back', () => {
    const p = processor();
    const before = p.state.u8.slice(L.FPU, L.ARCHITECTURAL_END);
    p.run(FXSAVE);
    p.run([0xdb, 0xe3]);
    p.run(FLD1);
    p.run(FXRSTOR);
    expect(p.state.u8.slice(L.FPU, L.ARCHITECTURAL_END)).toEqual(before);
  });

  test('and FXRSTOR with an exception that waits', () => {
    const p = processor();
    p.run([0xdb, 0xe2]);
    p.control = 0x340;
    p.run([0xd9, 0xee]);
    p.run([0xd8, 0xf9]);
    expect(p.status & 0x8084).toBe(0x8084);
    p.run(FXSAVE);
    p.run([0xdb, 0xe3]);
    p.run(FXRSTOR);
    expect(p.run([0x9b])).toEqual(faults(16));
    expect(p.run(FXRSTOR)).toBe('done');
  });
});

describe.each([
  ['FXSAVE', FXSAVE],
  ['FXRSTOR', FXRSTOR],
])('%s', (_, code) => {
  test.each([
    ['EM', CR0_EM],
    ['TS', CR0_TS],
  ])('is #NM with CR0.%s set', (_bit, bit) => {
    const p = processor();
    p.state.set(L.CR0, p.state.cr0 | bit);
    expect(p.run(code)).toEqual(faults(VECTOR_NM));
  });

  test('is #GP(0) where its area is not aligned at 16 bytes', () => {
    const reg = code === FXSAVE ? 0 : 1;
    expect(processor().run([0x0f, ...memory(0xae, reg, DATA + 8)])).toEqual(faults(VECTOR_GP));
  });

  test('faults with nothing changed where the area leaves memory', () => {
    const p = processor();
    const reg = code === FXSAVE ? 0 : 1;
    p.enablePaging();
    p.unmap(DATA + 0x1000);
    const outcome = p.run([0x0f, ...memory(0xae, reg, DATA + 0x1000 - 128)]);
    expect(outcome).toEqual(faults(VECTOR_PF, reg === 0 ? 2 : 0));
  });
});
