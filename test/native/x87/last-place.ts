/** Results of functions that have no exact one: alike if they are neighbours. */
import * as N from './native.js';

const REGISTER_BYTES = 10;
const STACK = N.RECORD_STATE + N.STATE_STACK;
/** C1 is bit 9 of the status word. */
const C1_BYTE = N.RECORD_STATE + 5;
const C1_BIT = 2;

function magnitude(record: Buffer, at: number): bigint {
  const exponent = BigInt(record.readUInt16LE(at + 8) & 0x7fff);
  const significand = record.readBigUInt64LE(at);
  // Normal numbers count on from the largest significand of the exponent below.
  return exponent === 0n ? significand : ((exponent - 1n) << 63n) + significand;
}

function areNeighbours(a: Buffer, b: Buffer, at: number): boolean {
  if ((a[at + 9] ^ b[at + 9]) & 0x80) return false;
  const distance = magnitude(a, at) - magnitude(b, at);
  return distance >= -1n && distance <= 1n;
}

/** Where ST(0) or ST(1) is a neighbour of the one that is wanted, makes it that one. */
export function alignFunctionResults(want: Buffer, got: Buffer): void {
  for (let start = 0; start < want.length; start += N.RECORD_BYTES) {
    const a = want.subarray(start, start + N.RECORD_BYTES);
    const b = got.subarray(start, start + N.RECORD_BYTES);
    for (const at of [STACK, STACK + REGISTER_BYTES]) {
      if (areNeighbours(a, b, at)) a.copy(b, at, at, at + REGISTER_BYTES);
    }
  }
}

/** C1 says that a result was rounded up, and so follows the last place. */
export function ignoreC1(record: Buffer): void {
  record[C1_BYTE] &= ~C1_BIT;
}
