import { describe, expect, test } from 'vitest';
import { CR4_DE } from '../../../src/cpu/control-registers.js';
import { EFLAGS_IOPL, EFLAGS_VM } from '../../../src/cpu/eflags.js';
import { VECTOR_GP, VECTOR_PF } from '../../../src/cpu/fault.js';
import { setSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import {
  in_AL_DX,
  in_AL_Ib,
  in_eAX_DX,
  in_eAX_Ib,
  out_DX_AL,
  out_DX_eAX,
  out_Ib_AL,
  out_Ib_eAX,
} from '../../../src/cpu/system/port-io.js';
import { faults, instruction, type Outcome, TestProcessor, TSS, TSS16 } from './processor.js';

const MAP = 0x68;

function withPort(port: number): TestProcessor {
  const p = new TestProcessor();
  p.state.setReg32(2, 0xabcd0000 | port);
  p.state.setReg32(0, 0x99887766 | 0);
  return p;
}

describe('IN and OUT', () => {
  test('IN changes as much of EAX as was read', () => {
    const p = withPort(0x60);
    p.execute(in_AL_DX);
    expect(p.state.reg32(0) >>> 0).toBe(0x99887744);
    p.execute(in_eAX_DX, instruction({ operandSize: 2 }));
    expect(p.state.reg32(0) >>> 0).toBe(0x99883344);
    p.execute(in_eAX_DX);
    expect(p.state.reg32(0)).toBe(0x11223344);
    expect(p.bus.accesses.map(({ port, size }) => [port, size])).toEqual([
      [0x60, 1],
      [0x60, 2],
      [0x60, 4],
    ]);
  });

  test('OUT writes AL, AX or EAX', () => {
    const p = withPort(0x3f8);
    p.execute(out_DX_AL);
    p.execute(out_DX_eAX, instruction({ operandSize: 2 }));
    p.execute(out_DX_eAX);
    expect(p.bus.accesses.map(({ port, value }) => [port, value >>> 0])).toEqual([
      [0x3f8, 0x66],
      [0x3f8, 0x7766],
      [0x3f8, 0x99887766],
    ]);
  });

  test('a port in the instruction is a byte without sign', () => {
    const p = withPort(0);
    p.execute(in_AL_Ib, instruction({ immediate: -1 }));
    p.execute(in_eAX_Ib, instruction({ immediate: 0x80 }));
    p.execute(out_Ib_AL, instruction({ immediate: -12 }));
    p.execute(out_Ib_eAX, instruction({ immediate: 0x21 }));
    expect(p.bus.accesses.map(({ port }) => port)).toEqual([0xff, 0x80, 0xf4, 0x21]);
  });
});

describe('permission to use a port', () => {
  function userWithMap(bytes: readonly number[], port: number): TestProcessor {
    const p = withPort(port);
    p.enterUserMode();
    p.poke(TSS + 0x66, 2, MAP);
    bytes.forEach((byte, i) => p.poke(TSS + MAP + i, 1, byte));
    setSegment(p.core, L.SEG_TR, 0x28, TSS, MAP + bytes.length - 1, 0x8b);
    return p;
  }

  test('where CPL <= IOPL the bit map does not matter', () => {
    const p = userWithMap([], 0x3f8);
    p.eflags = EFLAGS_IOPL;
    expect(p.execute(in_AL_DX)).toBe('done');
  });

  test('where CPL > IOPL the bits of all bytes of the port must be clear', () => {
    const p = userWithMap([0b1111_0000, 0xff], 0);
    const reads: Outcome[] = [];
    for (const port of [0, 3, 4]) {
      p.state.setReg16(2, port);
      reads.push(p.execute(in_AL_DX));
    }
    expect(reads).toEqual(['done', 'done', faults(VECTOR_GP)]);
    p.state.setReg16(2, 3);
    expect(p.execute(in_eAX_DX, instruction({ operandSize: 2 }))).toEqual(faults(VECTOR_GP));
    p.state.setReg16(2, 0);
    expect(p.execute(out_DX_eAX)).toBe('done');
    p.state.setReg16(2, 1);
    expect(p.execute(out_DX_eAX)).toEqual(faults(VECTOR_GP));
    expect(p.bus.accesses).toHaveLength(3);
  });

  test('the bits may go on in the next byte of the map', () => {
    const p = userWithMap([0b0111_1111, 0b1111_1110, 0xff], 7);
    expect(p.execute(in_eAX_DX, instruction({ operandSize: 2 }))).toBe('done');
    expect(p.execute(in_eAX_DX)).toEqual(faults(VECTOR_GP));
  });

  test('the byte after the one with the bits must lie within the TSS too', () => {
    const p = userWithMap([0, 0], 8);
    expect(p.execute(in_AL_DX)).toEqual(faults(VECTOR_GP));
    p.state.setReg16(2, 7);
    expect(p.execute(in_AL_DX)).toBe('done');
  });

  test('a map base beyond the limit permits nothing', () => {
    const p = withPort(0);
    p.enterUserMode();
    expect(p.execute(in_AL_DX)).toEqual(faults(VECTOR_GP));
  });

  test('a 16-bit TSS has no map: nothing is permitted', () => {
    const p = userWithMap([0, 0xff], 0);
    setSegment(p.core, L.SEG_TR, TSS16, TSS, 0x167, 0x83);
    expect(p.execute(in_AL_DX)).toEqual(faults(VECTOR_GP));
  });

  test('virtual-8086 mode asks the map even where IOPL is 3', () => {
    const p = userWithMap([0b1, 0xff], 0);
    p.eflags = EFLAGS_IOPL | EFLAGS_VM;
    expect(p.execute(in_AL_DX)).toEqual(faults(VECTOR_GP));
    p.state.setReg16(2, 1);
    expect(p.execute(in_AL_DX)).toBe('done');
  });

  test('the map is read as supervisor, and may be absent: #PF', () => {
    const p = userWithMap([0, 0xff], 0);
    p.enablePaging();
    p.core.physical.write(0x4000 + (TSS >>> 12) * 4, 4, TSS | 0x63);
    expect(p.execute(in_AL_DX)).toBe('done');
    p.unmap(TSS);
    expect(p.execute(in_AL_DX)).toEqual(faults(VECTOR_PF, 0));
  });
});

describe('I/O breakpoints', () => {
  /** DR1 breaks on I/O at a port, `length` 0 for one byte, 1 for two, 3 for four. */
  function withBreakpoint(port: number, length: number): TestProcessor {
    const p = withPort(0);
    p.state.set(L.CR4, CR4_DE);
    p.state.set(L.DR0 + 4, port);
    p.state.set(L.DR7, 0x400 | (1 << 3) | (2 << 20) | (length << 22));
    return p;
  }

  function trapsAt(p: TestProcessor, port: number, size: 1 | 4 = 1): boolean {
    p.state.setReg16(2, port);
    p.state.set(L.PENDING_DEBUG, 0);
    p.execute(size === 1 ? out_DX_AL : out_DX_eAX);
    return p.state.get(L.PENDING_DEBUG) === 2;
  }

  test('an access that touches the port leaves a debug trap pending', () => {
    const p = withBreakpoint(0x3f8, 0);
    expect([0x3f7, 0x3f8, 0x3f9].map((port) => trapsAt(p, port))).toEqual([false, true, false]);
    expect(p.attentions).toBe(1);
    expect([0x3f4, 0x3f5, 0x3f8, 0x3f9].map((port) => trapsAt(p, port, 4))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test('a breakpoint of four bytes covers the aligned four', () => {
    const p = withBreakpoint(0x3fa, 3);
    expect([0x3f7, 0x3f8, 0x3fb, 0x3fc].map((port) => trapsAt(p, port))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test('without CR4.DE there are none', () => {
    const p = withBreakpoint(0x3f8, 0);
    p.state.set(L.CR4, 0);
    expect(trapsAt(p, 0x3f8)).toBe(false);
  });

  test('an access that is not permitted leaves none', () => {
    const p = withBreakpoint(0x3f8, 0);
    p.enterUserMode();
    expect(trapsAt(p, 0x3f8)).toBe(false);
  });
});
