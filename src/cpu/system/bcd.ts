/**
 * Decimal adjustment: DAA, DAS, AAA, AAS, AAM, AAD.
 *
 * The flags that the manual leaves undefined are those of the addition or subtraction that an AMD
 * processor of family 25 makes inside: of AL's correction for DAA and DAS, of AX's (16 bits) for AAA
 * and AAS, of AL plus the product for AAD.
 */
import type { Core } from '../core.js';
import type { Instruction } from '../decoder/instruction.js';
import {
  arithmeticFlags,
  EFLAGS_AF,
  EFLAGS_CF,
  EFLAGS_OF,
  EFLAGS_PF,
  EFLAGS_SF,
  EFLAGS_ZF,
  readEflags,
  writeArithmeticFlags,
} from '../eflags.js';
import { raise, VECTOR_DE } from '../fault.js';
import type { State } from '../state.js';

const AL = 0;
const AH = 4;
const AX = 0;

/** SF, ZF and PF of a result whose sign bit is `sign`. */
function resultFlags(result: number, sign: number): number {
  const mask = (sign << 1) - 1;
  const flags = arithmeticFlags(result & mask, 0) & (EFLAGS_ZF | EFLAGS_PF);
  return result & sign ? flags | EFLAGS_SF : flags;
}

/** OF where `sum = left + right` overflowed; a subtraction gives its minuend as the sum. */
function overflowOfSum(sum: number, left: number, right: number, sign: number): number {
  return (sum ^ left) & (sum ^ right) & sign ? EFLAGS_OF : 0;
}

function adjustDecimal(state: State, direction: 1 | -1): void {
  const al = state.reg8(AL);
  const old = readEflags(state);
  let carries = 0;
  let correction = 0;
  if ((al & 0xf) > 9 || old & EFLAGS_AF) {
    correction = 0x06;
    carries = EFLAGS_AF;
    if (direction < 0 && al < 6) carries |= EFLAGS_CF;
  }
  if (al > 0x99 || old & EFLAGS_CF) {
    correction += 0x60;
    carries |= EFLAGS_CF;
  }
  const result = (al + direction * correction) & 0xff;
  const overflow =
    direction > 0
      ? overflowOfSum(result, al, correction, 0x80)
      : overflowOfSum(al, result, correction, 0x80);
  state.setReg8(AL, result);
  writeArithmeticFlags(state, carries | overflow | resultFlags(result, 0x80));
}

/** 27 DAA */
export function daa(core: Core): void {
  adjustDecimal(core.state, 1);
}

/** 2F DAS */
export function das(core: Core): void {
  adjustDecimal(core.state, -1);
}

function adjustAscii(state: State, direction: 1 | -1): void {
  const ax = state.reg16(AX);
  const isCarry = (ax & 0xf) > 9 || (readEflags(state) & EFLAGS_AF) !== 0;
  // AH and AL move together since the 80286: a carry out of AL reaches AH.
  const correction = isCarry ? 0x106 : 0;
  const result = (ax + direction * correction) & 0xffff;
  const overflow =
    direction > 0
      ? overflowOfSum(result, ax, correction, 0x8000)
      : overflowOfSum(ax, result, correction, 0x8000);
  state.setReg16(AX, result & 0xff0f);
  const carries = isCarry ? EFLAGS_CF | EFLAGS_AF : 0;
  writeArithmeticFlags(state, carries | overflow | resultFlags(result, 0x8000));
}

/** 37 AAA */
export function aaa(core: Core): void {
  adjustAscii(core.state, 1);
}

/** 3F AAS */
export function aas(core: Core): void {
  adjustAscii(core.state, -1);
}

/** D4 ib AAM. CF, OF and AF are cleared. @throws fault #DE where the base is zero. */
export function aam_Ib(core: Core, insn: Instruction): void {
  const { state } = core;
  const base = insn.immediate & 0xff;
  if (base === 0) raise(VECTOR_DE);
  const al = state.reg8(AL);
  state.setReg8(AH, Math.trunc(al / base));
  state.setReg8(AL, al % base);
  writeArithmeticFlags(state, resultFlags(al % base, 0x80));
}

/** D5 ib AAD */
export function aad_Ib(core: Core, insn: Instruction): void {
  const { state } = core;
  const al = state.reg8(AL);
  const product = (state.reg8(AH) * (insn.immediate & 0xff)) & 0xff;
  const sum = al + product;
  const result = sum & 0xff;
  state.setReg16(AX, result);
  let carries = overflowOfSum(result, al, product, 0x80);
  if (sum > 0xff) carries |= EFLAGS_CF;
  if ((al ^ product ^ result) & 0x10) carries |= EFLAGS_AF;
  writeArithmeticFlags(state, carries | resultFlags(result, 0x80));
}
