/**
 * EFLAGS and its lazy arithmetic half.
 *
 * Instructions leave their result and the carries they made, and flags are worked out when someone
 * reads them. FLAG_RESULT holds the result, sign-extended to 32 bits: ZF is `result == 0`, SF its bit
 * 31 xor bit 0 of FLAG_AUX, PF the parity of its low byte xor bits 8 to 15 of FLAG_AUX. FLAG_AUX holds
 * in bit 31 the carry out (CF), in bit 30 the carry into the sign bit (OF is their xor), in bit 3 the
 * carry out of bit 3 (AF). The two corrections in FLAG_AUX let any combination of flags be set.
 */
import type { State } from './state.js';
import { FLAG_AUX, FLAG_RESULT, FLAG_SYSTEM } from './state-layout.js';

export const EFLAGS_CF = 1 << 0;
export const EFLAGS_RESERVED1 = 1 << 1;
export const EFLAGS_PF = 1 << 2;
export const EFLAGS_AF = 1 << 4;
export const EFLAGS_ZF = 1 << 6;
export const EFLAGS_SF = 1 << 7;
export const EFLAGS_TF = 1 << 8;
export const EFLAGS_IF = 1 << 9;
export const EFLAGS_DF = 1 << 10;
export const EFLAGS_OF = 1 << 11;
export const EFLAGS_IOPL = 3 << 12;
export const EFLAGS_IOPL_SHIFT = 12;
export const EFLAGS_NT = 1 << 14;
export const EFLAGS_RF = 1 << 16;
export const EFLAGS_VM = 1 << 17;
export const EFLAGS_AC = 1 << 18;
export const EFLAGS_VIF = 1 << 19;
export const EFLAGS_VIP = 1 << 20;
export const EFLAGS_ID = 1 << 21;

/** The flags that FLAG_RESULT and FLAG_AUX stand for. */
export const EFLAGS_ARITHMETIC =
  EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | EFLAGS_SF | EFLAGS_OF;

/** FLAG_AUX bits. */
export const AUX_CARRY = 1 << 31;
export const AUX_CARRY_IN = 1 << 30;
export const AUX_HALF = 1 << 3;
export const AUX_SIGN_DELTA = 1;
export const AUX_PARITY_SHIFT = 8;

/** 1 where the byte has an even number of ones. */
const EVEN_PARITY = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let rest = byte; rest !== 0; rest >>= 1) ones += rest & 1;
  return ones & 1 ? 0 : 1;
});

/** The arithmetic flags as EFLAGS bits, from the two lazy words. */
export function arithmeticFlags(result: number, aux: number): number {
  let flags = aux < 0 ? EFLAGS_CF : 0;
  if (EVEN_PARITY[(result ^ (aux >> AUX_PARITY_SHIFT)) & 0xff]) flags |= EFLAGS_PF;
  if (aux & AUX_HALF) flags |= EFLAGS_AF;
  if (result === 0) flags |= EFLAGS_ZF;
  if ((result >>> 31) ^ (aux & AUX_SIGN_DELTA)) flags |= EFLAGS_SF;
  if ((aux ^ (aux << 1)) < 0) flags |= EFLAGS_OF;
  return flags;
}

/** EFLAGS as PUSHFD would store it (with RF and VM as they are). Bit 1 reads as one. */
export function readEflags(state: State): number {
  return (
    state.get(FLAG_SYSTEM) |
    EFLAGS_RESERVED1 |
    arithmeticFlags(state.get(FLAG_RESULT), state.get(FLAG_AUX))
  );
}

/** Sets the lazy words so that they mean exactly the arithmetic flags of `eflags`. */
export function writeArithmeticFlags(state: State, eflags: number): void {
  const isZero = (eflags & EFLAGS_ZF) !== 0;
  // A zero result has SF 0 and PF 1; a result of 1 has SF 0 and PF 0.
  const result = isZero ? 0 : 1;
  let aux = 0;
  if (eflags & EFLAGS_SF) aux |= AUX_SIGN_DELTA;
  if (((eflags & EFLAGS_PF) !== 0) !== isZero) aux |= 1 << AUX_PARITY_SHIFT;
  if (eflags & EFLAGS_AF) aux |= AUX_HALF;
  if (eflags & EFLAGS_CF) aux |= AUX_CARRY;
  if (((eflags & EFLAGS_CF) !== 0) !== ((eflags & EFLAGS_OF) !== 0)) aux |= AUX_CARRY_IN;
  state.set(FLAG_RESULT, result);
  state.set(FLAG_AUX, aux);
}

/**
 * Replaces the bits of EFLAGS that `mask` selects; the others keep their value. Only the bits change:
 * what a change of IF, TF or VM means for the run loop is the caller's to say (`Core.attention`).
 */
export function writeEflags(state: State, value: number, mask: number): void {
  const system = state.get(FLAG_SYSTEM);
  if (mask & EFLAGS_ARITHMETIC) {
    const isAll = (mask & EFLAGS_ARITHMETIC) === EFLAGS_ARITHMETIC;
    writeArithmeticFlags(state, isAll ? value : (readEflags(state) & ~mask) | (value & mask));
  }
  const merged = (system & ~mask) | (value & mask);
  state.set(FLAG_SYSTEM, (merged & ~EFLAGS_ARITHMETIC) | EFLAGS_RESERVED1);
}
