import { expect, test } from 'vitest';
import { VECTOR_GP, VECTOR_SS } from '../../../src/cpu/fault.js';
import { setSegment } from '../../../src/cpu/segmentation.js';
import * as L from '../../../src/cpu/state-layout.js';
import {
  effectiveAddress,
  linearOfRm,
  readRm,
  writeRm,
  writeRmWord,
} from '../../../src/cpu/system/operands.js';
import { atMemory, DATA, DATA0, faults, instruction, TestProcessor } from './processor.js';

test('an effective address is base + scaled index + displacement, modulo 4 GiB', () => {
  const p = new TestProcessor();
  p.state.set(L.EBX, 0xfffffff0 | 0);
  p.state.set(L.ESI, 0x10);
  const insn = atMemory(4, { base: L.EBX, index: L.ESI, scale: 2 });
  expect(effectiveAddress(p.core, insn)).toBe(0x34);
});

test('with an address size of 16 it is modulo 64 KiB', () => {
  const p = new TestProcessor();
  p.state.set(L.EBX, 0x1234fff0);
  p.state.set(L.ESI, 0x20);
  const insn = atMemory(-1, { base: L.EBX, index: L.ESI, addressSize: 2 });
  expect(effectiveAddress(p.core, insn)).toBe(0xf);
});

test('bytes of registers are AL CL DL BL AH CH DH BH', () => {
  const p = new TestProcessor();
  p.state.set(L.EBX, 0x44332211);
  expect(readRm(p.core, instruction({ rm: 3 }), 1)).toBe(0x11);
  expect(readRm(p.core, instruction({ rm: 7 }), 1)).toBe(0x22);
  writeRm(p.core, instruction({ rm: 7 }), 1, 0x1ee);
  expect(p.state.get(L.EBX)).toBe(0x4433ee11);
});

test('2 bytes are read without sign, 4 with', () => {
  const p = new TestProcessor();
  p.poke(DATA, 4, -1);
  expect(readRm(p.core, atMemory(DATA), 2)).toBe(0xffff);
  expect(readRm(p.core, atMemory(DATA), 4)).toBe(-1);
});

test('a system word goes to memory as 16 bits, to a 32-bit register zero-extended', () => {
  const p = new TestProcessor();
  p.poke(DATA, 4, -1);
  writeRmWord(p.core, atMemory(DATA), 0x1234);
  expect(p.dword(DATA)).toBe(0xffff1234);
  p.state.set(L.ECX, -1);
  writeRmWord(p.core, instruction({ rm: 1 }), 0x1234);
  expect(p.state.get(L.ECX)).toBe(0x1234);
});

test('an operand beyond its segment is #GP(0), and #SS(0) in SS', () => {
  const p = new TestProcessor();
  setSegment(p.core, L.SEG_DS, DATA0, 0, 0xfff, 0x4093);
  setSegment(p.core, L.SEG_SS, DATA0, 0, 0xfff, 0x4093);
  const read = (core: typeof p.core, insn: ReturnType<typeof atMemory>): void => {
    linearOfRm(core, insn, 8, 'read');
  };
  expect(p.execute(read, atMemory(0xff8))).toBe('done');
  expect(p.execute(read, atMemory(0xff9))).toEqual(faults(VECTOR_GP));
  expect(p.execute(read, atMemory(0xff9, { segment: L.SEG_SS }))).toEqual(faults(VECTOR_SS));
});
