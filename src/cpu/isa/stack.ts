/** PUSH and POP of registers, memory and immediates, LEAVE, and what CALL and RET share with them. */
import { EBP, ESP, SEG_SS } from '../state-layout.js';
import type { Ops, Semantics, Size } from './ops.js';

/** The stack offset: ESP or SP. */
function stackOffset<V>(m: Ops<V>): V {
  return m.let(m.get(ESP, m.stack32 ? 4 : 2));
}

/** Sets ESP, or SP alone. */
function setStackOffset<V>(m: Ops<V>, offset: V): void {
  m.set(ESP, offset, m.stack32 ? 4 : 2);
}

/** An offset in the stack segment, wrapped to SP where the segment is a 16-bit one. */
function wrapped<V>(m: Ops<V>, offset: V): V {
  return m.let(m.stack32 ? offset : m.truncate(offset, 2));
}

/** Pushes a bound value; ESP moves when the store did not fault. */
export function push<V>(m: Ops<V>, value: V, size: Size): void {
  const offset = wrapped(m, m.sub(stackOffset(m), m.constant(size)));
  m.store(m.fixedSegment(SEG_SS), offset, size, value);
  setStackOffset(m, offset);
}

/** The value on top of the stack; ESP stays. */
export function top<V>(m: Ops<V>, size: Size): V {
  return m.load(m.fixedSegment(SEG_SS), stackOffset(m), size);
}

/** Moves ESP up over bytes that were read. */
export function discard<V>(m: Ops<V>, bytes: V): void {
  setStackOffset(m, m.add(stackOffset(m), bytes));
}

// 50 to 57, 68, 6A, FF /6
export const pushOperand: Semantics = (m) => push(m, m.read(0), m.size);

// 58 to 5F, 8F /0. ESP moves before the destination's address is worked out, and before the
// destination is written: POP ESP ends with the value popped.
export const popOperand: Semantics = (m) => {
  const value = top(m, m.size);
  if (m.isMemory(0)) m.guardEsp();
  discard(m, m.constant(m.size));
  m.write(0, value);
};

// C9  LEAVE
export const leave: Semantics = (m) => {
  const frame = m.let(m.get(EBP, m.stack32 ? 4 : 2));
  const value = m.load(m.fixedSegment(SEG_SS), frame, m.size);
  setStackOffset(m, m.add(frame, m.constant(m.size)));
  m.set(EBP, value, m.size);
};
