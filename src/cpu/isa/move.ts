/** MOV, MOVZX, MOVSX, LEA, XCHG, BSWAP, XLAT, CMOVcc, SETcc, CBW, CWD, SAHF, LAHF and flag bits. */
import { AUX_CARRY, AUX_CARRY_IN, EFLAGS_DF, EFLAGS_RESERVED1 } from '../eflags.js';
import { EAX, EBX, EDX, FLAG_AUX, FLAG_SYSTEM } from '../state-layout.js';
import {
  arithmeticFlags,
  condition,
  flagsCarryOverflow,
  overflowFlag,
  setArithmeticFlags,
} from './flags.js';
import type { Semantics } from './ops.js';

// 88 to 8B, A0 to A3, B0 to BF, C6 /0, C7 /0
export const mov: Semantics = (m) => m.write(0, m.read(1));

// 0F B6, 0F B7
export const movzx: Semantics = (m) => m.write(0, m.read(1));

// 0F BE, 0F BF
export const movsx: Semantics = (m) => m.write(0, m.signExtend(m.read(1), m.sizeOf(1)));

// 8D  LEA: the address alone, no access
export const lea: Semantics = (m) => m.write(0, m.address());

// 86, 87, 91 to 97
export const xchg: Semantics = (m) => {
  const a = m.modify(0);
  const b = m.read(1);
  m.write(0, b);
  m.write(1, a);
};

// 0F C8 to 0F CF. With a 16-bit operand the processor clears the register.
export const bswap: Semantics = (m) => {
  if (m.size === 2) {
    m.write(0, m.constant(0));
    return;
  }
  const value = m.read(0);
  const odd = m.and(m.rotl(value, m.constant(8)), m.constant(0x00ff00ff));
  const even = m.and(m.rotr(value, m.constant(8)), m.constant(0xff00ff00 | 0));
  m.write(0, m.or(odd, even));
};

// D7  XLAT
export const xlat: Semantics = (m) => {
  const sum = m.add(m.get(EBX), m.get(EAX, 1));
  const offset = m.let(m.addressSize === 2 ? m.truncate(sum, 2) : sum);
  m.set(EAX, m.load(m.segment(), offset, 1), 1);
};

// 0F 90 to 0F 9F
export function setcc(code: number): Semantics {
  return (m) => m.write(0, m.ne(condition(m, code), m.constant(0)));
}

// 0F 40 to 0F 4F. The source is read, and may fault, whether the condition holds or not.
export function cmovcc(code: number): Semantics {
  return (m) => {
    const source = m.read(1);
    const kept = m.read(0);
    m.write(0, m.select(condition(m, code), source, kept));
  };
}

// 98  CBW, CWDE
export const cbw: Semantics = (m) => {
  const half = m.size === 4 ? 2 : 1;
  m.set(EAX, m.signExtend(m.get(EAX, half), half), m.size);
};

// 99  CWD, CDQ
export const cwd: Semantics = (m) => {
  const value = m.signExtend(m.get(EAX, m.size), m.size);
  m.set(EDX, m.shrS(value, m.constant(31)), m.size);
};

// 9E  SAHF: OF keeps its value
export const sahf: Semantics = (m) => {
  const flags = m.let(m.get(EAX + 1, 1));
  setArithmeticFlags(m, flags, m.let(overflowFlag(m)));
};

// 9F  LAHF
export const lahf: Semantics = (m) => {
  m.set(EAX + 1, m.or(arithmeticFlags(m), m.constant(EFLAGS_RESERVED1)), 1);
};

// F8  CLC, F9  STC, F5  CMC
export const clc: Semantics = (m) => {
  flagsCarryOverflow(m, m.constant(0), m.let(overflowFlag(m)));
};
export const stc: Semantics = (m) => {
  flagsCarryOverflow(m, m.constant(1), m.let(overflowFlag(m)));
};
// Both carries turn, so OF, their difference, stays.
export const cmc: Semantics = (m) => {
  m.set(FLAG_AUX, m.xor(m.get(FLAG_AUX), m.constant(AUX_CARRY | AUX_CARRY_IN)));
};

// FC  CLD, FD  STD
export const cld: Semantics = (m) => {
  m.set(FLAG_SYSTEM, m.and(m.get(FLAG_SYSTEM), m.constant(~EFLAGS_DF)));
};
export const std: Semantics = (m) => {
  m.set(FLAG_SYSTEM, m.or(m.get(FLAG_SYSTEM), m.constant(EFLAGS_DF | EFLAGS_RESERVED1)));
};

// 90, 0F 0D, 0F 18 to 0F 1F  NOP
export const nop: Semantics = () => undefined;
