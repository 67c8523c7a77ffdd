import { describe, expect, test } from 'vitest';
import { EFLAGS_DF } from '../../../src/cpu/eflags.js';
import { VECTOR_GP, VECTOR_PF } from '../../../src/cpu/fault.js';
import { setNullSegment, setSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import { ins_Yv_DX, insb, outs_DX_Xv, outsb } from '../../../src/cpu/system/string-port-io.js';
import { CODE, DATA, DATA0, faults, instruction, TestProcessor } from './processor.js';

const CX = 1;
const DX = 2;
const SI = 6;
const DI = 7;

function withPointers(offset: number, count = 0): TestProcessor {
  const p = new TestProcessor();
  p.state.setReg32(DX, 0x1f0);
  p.state.setReg32(SI, offset);
  p.state.setReg32(DI, offset);
  p.state.setReg32(CX, count);
  return p;
}

/** Steps that retired nothing. */
function unretired(p: TestProcessor): number {
  return p.state.f64[L.UNRETIRED >> 3];
}

describe('INS and OUTS', () => {
  test('INS stores to ES:EDI whatever the override, and moves EDI by the size', () => {
    const p = withPointers(DATA);
    setNullSegment(p.core, L.SEG_DS);
    setSegment(p.core, L.SEG_ES, DATA0, 0x100, -1, 0xc093);
    const insn = instruction({ length: 2, segment: L.SEG_DS });
    expect(p.transfer(ins_Yv_DX, insn)).toBe('done');
    expect(p.dword(DATA + 0x100)).toBe(0x11223344);
    expect(p.state.reg32(DI)).toBe(DATA + 4);
    expect(p.state.eip).toBe(CODE + 2);
    expect(p.state.reg32(CX)).toBe(0);
  });

  test('OUTS reads the segment of an override', () => {
    const p = withPointers(DATA);
    setSegment(p.core, L.SEG_FS, DATA0, 0x100, -1, 0xc093);
    p.poke(DATA + 0x100, 1, 0x5a);
    expect(p.transfer(outsb, instruction({ segment: L.SEG_FS }))).toBe('done');
    expect(p.bus.accesses).toEqual([{ kind: 'out', port: 0x1f0, size: 1, value: 0x5a }]);
    expect(p.state.reg32(SI)).toBe(DATA + 1);
  });

  test('with DF set the pointer moves down', () => {
    const p = withPointers(DATA);
    p.eflags = EFLAGS_DF;
    p.transfer(ins_Yv_DX, instruction({ operandSize: 2 }));
    p.transfer(outs_DX_Xv, instruction());
    expect([p.state.reg32(DI), p.state.reg32(SI)]).toEqual([DATA - 2, DATA - 4]);
  });

  test('with an address size of 16 SI, DI and CX wrap, and their upper halves stay', () => {
    const p = withPointers(0x0005ffff, 0x00070002);
    p.transfer(insb, instruction({ addressSize: 2, rep: 0xf3 }));
    expect(p.state.reg32(DI)).toBe(0x00050000);
    expect(p.state.reg32(CX)).toBe(0x00070001);
    expect(p.core.physical.read(0xffff, 1)).toBe(0x44);
  });
});

describe('REP', () => {
  test.each([0xf2, 0xf3] as const)(
    'prefix %i: each iteration is a step, and the last retires',
    (rep) => {
      const p = withPointers(DATA, 3);
      const insn = instruction({ length: 2, rep });
      const eips: number[] = [];
      for (let i = 0; i < 3; i++) {
        expect(p.transfer(insb, insn)).toBe('done');
        eips.push(p.state.eip);
      }
      expect(eips).toEqual([CODE, CODE, CODE + 2]);
      expect(unretired(p)).toBe(2);
      expect(p.state.reg32(CX)).toBe(0);
      expect(p.state.reg32(DI)).toBe(DATA + 3);
      expect(p.bus.accesses).toHaveLength(3);
    },
  );

  test('a count of zero retires at once and touches neither port nor memory', () => {
    const p = withPointers(DATA, 0);
    expect(p.transfer(insb, instruction({ length: 2, rep: 0xf3 }))).toBe('done');
    expect(p.state.eip).toBe(CODE + 2);
    expect(unretired(p)).toBe(0);
    expect(p.bus.accesses).toHaveLength(0);
  });

  test('a count of zero needs permission all the same', () => {
    const p = withPointers(DATA, 0);
    p.enterUserMode();
    expect(p.transfer(insb, instruction({ length: 2, rep: 0xf3 }))).toEqual(faults(VECTOR_GP));
    expect(p.transfer(outsb, instruction({ length: 2, rep: 0xf3 }))).toEqual(faults(VECTOR_GP));
    expect(p.state.eip).toBe(CODE);
  });

  test('a fault in the middle keeps what was done, with EIP at the instruction', () => {
    const p = withPointers(0xaffe, 4);
    p.enablePaging();
    p.unmap(0xb000);
    const insn = instruction({ length: 2, rep: 0xf3 });
    p.transfer(insb, insn);
    p.transfer(insb, insn);
    expect(p.transfer(insb, insn)).toEqual(faults(VECTOR_PF, 2));
    expect(p.state.eip).toBe(CODE);
    expect(p.state.reg32(CX)).toBe(2);
    expect(p.state.reg32(DI)).toBe(0xb000);
  });
});

describe('the order of faults', () => {
  test('permission comes before memory', () => {
    const p = withPointers(0xb000);
    p.enablePaging();
    p.unmap(0xb000);
    p.enterUserMode();
    expect(p.transfer(insb)).toEqual(faults(VECTOR_GP));
    expect(p.transfer(outsb)).toEqual(faults(VECTOR_GP));
  });

  test('INS reads no port when its destination faults', () => {
    const p = withPointers(0xb000);
    p.enablePaging();
    p.unmap(0xb000);
    expect(p.transfer(ins_Yv_DX)).toEqual(faults(VECTOR_PF, 2));
    setNullSegment(p.core, L.SEG_ES);
    expect(p.transfer(ins_Yv_DX)).toEqual(faults(VECTOR_GP));
    expect(p.bus.accesses).toHaveLength(0);
  });

  test('OUTS writes no port when its source faults', () => {
    const p = withPointers(0xb000);
    p.enablePaging();
    p.unmap(0xb000);
    expect(p.transfer(outs_DX_Xv)).toEqual(faults(VECTOR_PF, 0));
    expect(p.bus.accesses).toHaveLength(0);
  });
});
