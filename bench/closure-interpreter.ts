/**
 * The yardstick: what one would write by hand for just this loop, a closure an instruction, with the
 * same state, the same lazy flags, the same TLB and segment checks, and an instruction count.
 */
import type { State } from '../src/cpu/state.js';
import * as L from '../src/cpu/state-layout.js';

/** Returns a function that runs load, add, store, dec, jnz until ECX is zero. */
export function closureInterpreter(state: State, address: number): () => void {
  const { i32 } = state;
  const segment = (L.SEGMENTS + L.SEG_DS * L.SEGMENT_BYTES) >> 2;
  const slow = (): never => {
    throw new Error('the loop stays on the fast path');
  };
  const hostOf = (offset: number, below: number, tag: number): number => {
    if (offset >>> 0 >= i32[segment + (below >> 2)] >>> 0) slow();
    const linear = (offset + i32[segment + (L.SEGMENT_BASE >> 2)]) | 0;
    const entry =
      (i32[L.TLB_BASE >> 2] +
        ((linear >>> (12 - L.TLB_ENTRY_SHIFT)) & ((L.TLB_ENTRIES - 1) << L.TLB_ENTRY_SHIFT))) >>
      2;
    if (((linear + 3) & ~0xfff) !== i32[entry + (tag >> 2)]) slow();
    return (linear + i32[entry + (L.TLB_ADDEND >> 2)]) >> 2;
  };
  const setFlags = (result: number, carries: number): void => {
    i32[L.FLAG_RESULT >> 2] = result;
    i32[L.FLAG_AUX >> 2] = carries & 0xc0000008;
  };
  const load = (register: number, offset: number, length: number) => (): boolean => {
    i32[register >> 2] = i32[hostOf(offset, L.SEGMENT_READ_BELOW, L.TLB_READ_TAG)];
    i32[L.EIP >> 2] += length;
    return true;
  };
  const store = (register: number, offset: number, length: number) => (): boolean => {
    i32[hostOf(offset, L.SEGMENT_WRITE_BELOW, L.TLB_WRITE_TAG)] = i32[register >> 2];
    i32[L.EIP >> 2] += length;
    return true;
  };
  const add = (to: number, from: number, length: number) => (): boolean => {
    const a = i32[to >> 2];
    const b = i32[from >> 2];
    const result = (a + b) | 0;
    i32[to >> 2] = result;
    setFlags(result, (a & b) | ((a | b) & ~result));
    i32[L.EIP >> 2] += length;
    return true;
  };
  const dec = (register: number, length: number) => (): boolean => {
    const a = i32[register >> 2];
    const result = (a - 1) | 0;
    i32[register >> 2] = result;
    const borrows = (~a & 1) | (~(a ^ 1) & result);
    const carry = i32[L.FLAG_AUX >> 2] >>> 31;
    const overflow = (borrows ^ (borrows << 1)) >>> 31;
    setFlags(result, (carry << 31) | ((carry ^ overflow) << 30) | (borrows & 8));
    i32[L.EIP >> 2] += length;
    return true;
  };
  const jnz = (back: number, length: number) => (): boolean => {
    i32[L.EIP >> 2] += i32[L.FLAG_RESULT >> 2] !== 0 ? length + back : length;
    return false;
  };
  const block = [
    load(L.EAX, address, 5),
    add(L.EAX, L.ECX, 2),
    store(L.EAX, address, 5),
    dec(L.ECX, 1),
    jnz(-15, 2),
  ];
  return () => {
    const start = i32[L.EIP >> 2];
    i32[L.BUDGET >> 2] = 0x7fffffff;
    while (i32[L.EIP >> 2] === start) {
      for (let i = 0; i < block.length; i++) {
        i32[L.BUDGET >> 2] -= 1;
        if (!block[i]()) break;
      }
    }
  };
}
