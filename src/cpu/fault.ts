/**
 * Guest exceptions on their way from where they are found to the run loop.
 *
 * Intel SDM vol. 3A, chapter 6.
 */
export const VECTOR_DE = 0;
export const VECTOR_DB = 1;
export const VECTOR_NMI = 2;
export const VECTOR_BP = 3;
export const VECTOR_OF = 4;
export const VECTOR_BR = 5;
export const VECTOR_UD = 6;
export const VECTOR_NM = 7;
export const VECTOR_DF = 8;
export const VECTOR_TS = 10;
export const VECTOR_NP = 11;
export const VECTOR_SS = 12;
export const VECTOR_GP = 13;
export const VECTOR_PF = 14;
export const VECTOR_MF = 16;
export const VECTOR_AC = 17;
export const VECTOR_MC = 18;

/** The vector pushes an error code: 8, 10 to 14 and 17. */
export function hasErrorCode(vector: number): boolean {
  return vector === 8 || (vector >= 10 && vector <= 14) || vector === 17;
}

/** Page-fault error code bits. Intel SDM vol. 3A §4.7. */
export const PF_PRESENT = 1;
export const PF_WRITE = 2;
export const PF_USER = 4;
export const PF_RESERVED = 8;

/**
 * A guest exception being thrown. There is one object, `fault`, thrown again and again: it captures no
 * stack and allocates nothing, and it unwinds WebAssembly frames as any JavaScript exception does.
 */
export class Fault {
  vector = 0;
  errorCode = 0;
  /** The faulting linear address of a #PF. CR2 takes it when the fault is delivered. */
  cr2 = 0;
}

/** The one object that `raise` throws; compare a caught value with it. */
export const fault = new Fault();

/**
 * Abandons the instruction with an exception. The caller must not have changed architectural state
 * that the run loop doesn't restore (it restores ESP alone, see ESP_GUARD).
 * @throws fault always.
 */
export function raise(vector: number, errorCode = 0): never {
  fault.vector = vector;
  fault.errorCode = errorCode;
  throw fault;
}

/** As `raise`, for #PF at a linear address. @throws fault always. */
export function raisePageFault(linear: number, errorCode: number): never {
  fault.cr2 = linear | 0;
  raise(VECTOR_PF, errorCode);
}
