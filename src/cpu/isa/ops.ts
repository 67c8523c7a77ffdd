/**
 * The abstract machine over which each instruction's meaning is written, once.
 *
 * A semantics is a function of `Ops<V>`. What `V` is, the instance decides: a number, and the function
 * interprets; a WebAssembly expression, and the very same function emits the code of an interpreter's
 * handler (operands come from the decoded record) or of a compiled block (operands are constants).
 *
 * Rules that make one text serve both:
 * - A value used more than once is bound by `let`; so is one that must be taken before a later effect.
 * - What may fault comes before any effect: read operands, `modify` what will be written (it checks the
 *   write), then write, then set registers and flags.
 * - Values are 32 bits. Operands are read zero-extended; writes ignore the bits above the size.
 */
import type { SegmentIndex } from '../state.js';

export type Size = 1 | 2 | 4;

/** A place in memory that was checked for writing: its old value, and how to store the new one. */
export interface Modifiable<V> {
  readonly value: V;
  store(value: V): void;
}

/** Bytes of one linear page. */
export interface PlainPlace<V> {
  /** Not zero where all of them are RAM that may be accessed here and now with nobody's notice. */
  readonly isThere: V;
  /** The dword so many bytes further on. Not to be evaluated where `isThere` is zero. */
  load(at: number): V;
  store(at: number, value: V): void;
}

/**
 * How all arithmetic flags came about, where that tells conditions more cheaply than the two words of flags.
 * `left` and `right` are bound values whose bits above the size mean nothing.
 */
export interface FlagOrigin<V> {
  /** compare: the flags are those of left - right. carry: CF is set where left is below right, unsigned. */
  readonly kind: 'compare' | 'carry';
  readonly left: V;
  readonly right: V;
  readonly size: Size;
}

export interface Ops<V> {
  /** Operand size of this form: of its first operand, or as the prefixes say where it has none. */
  readonly size: Size;
  /** Address size in bytes. */
  readonly addressSize: 2 | 4;
  /** The stack pointer is ESP (SS.B = 1), not SP. */
  readonly stack32: boolean;
  /** The repeat prefix: 0, F3 or F2. */
  readonly rep: 0 | 0xf2 | 0xf3;

  constant(value: number): V;
  add(a: V, b: V): V;
  sub(a: V, b: V): V;
  mul(a: V, b: V): V;
  /** Bits 32 to 63 of the unsigned and of the signed product. */
  mulHighU(a: V, b: V): V;
  mulHighS(a: V, b: V): V;
  remU(a: V, b: V): V;
  and(a: V, b: V): V;
  or(a: V, b: V): V;
  xor(a: V, b: V): V;
  not(a: V): V;
  /** Shifts and rotates take their count modulo 32. */
  shl(a: V, count: V): V;
  shrU(a: V, count: V): V;
  shrS(a: V, count: V): V;
  rotl(a: V, count: V): V;
  rotr(a: V, count: V): V;
  clz(a: V): V;
  ctz(a: V): V;
  popcnt(a: V): V;
  /** Comparisons give 0 or 1. */
  eqz(a: V): V;
  eq(a: V, b: V): V;
  ne(a: V, b: V): V;
  ltU(a: V, b: V): V;
  ltS(a: V, b: V): V;
  gtU(a: V, b: V): V;
  geS(a: V, b: V): V;
  /** `a` where the condition is not zero, else `b`; both are evaluated. */
  select(condition: V, a: V, b: V): V;
  /** Sign-extends from the size to 32 bits; zero-extends in `truncate`. */
  signExtend(a: V, size: Size): V;
  truncate(a: V, size: Size): V;
  /**
   * Divides the 64-bit value high:low. Raises #DE for a divisor of 0 or a quotient that does not fit
   * `quotientSize` bytes.
   */
  divide(
    high: V,
    low: V,
    divisor: V,
    isSigned: boolean,
    quotientSize: Size,
  ): { quotient: V; remainder: V };
  /** Evaluates now; the result may be used any number of times. */
  let(value: V): V;

  /** A state word by its offset (state-layout.ts): 32 bits, or the low bytes of a register. */
  get(offset: number, size?: Size): V;
  set(offset: number, value: V, size?: Size): void;

  /** Says where the flags come from that were just set, to a machine that remembers it until flags are set again. */
  noteFlagOrigin?(origin: FlagOrigin<V>): void;
  /** What was said and remembered; null where the words of flags must tell. */
  flagOrigin?(): FlagOrigin<V> | null;

  /** Operand k, zero-extended; memory may fault. */
  read(k: number): V;
  /** Operand k, read in order to be written: memory is checked for writing. Follow with `write(k)`. */
  modify(k: number): V;
  /** Writes operand k. Memory that was not `modify`ed may fault here. */
  write(k: number, value: V): void;
  /** The size of operand k. */
  sizeOf(k: number): Size;
  /** Operand k is in memory. */
  isMemory(k: number): boolean;
  /** The memory operand's offset in its segment, wrapped to the address size. */
  address(): V;
  /** The memory operand's segment, as `load` and `modifyAt` take it. */
  segment(): V;
  /** A fixed segment. */
  fixedSegment(segment: SegmentIndex): V;
  load(segment: V, offset: V, size: Size): V;
  store(segment: V, offset: V, size: Size, value: V): void;
  modifyAt(segment: V, offset: V, size: Size): Modifiable<V>;

  /**
   * So many bytes at a bound linear address, accessed as supervisor. It never faults: what has no
   * translation at hand is not there.
   */
  supervisor(linear: V, bytes: number, kind: 'read' | 'write'): PlainPlace<V>;

  /** Runs `then` where the condition is not zero, else `otherwise`. */
  when(condition: V, then: () => void, otherwise?: () => void): void;
  /** The value of one of two branches, of which only the chosen one runs. */
  choose(condition: V, then: () => V, otherwise: () => V): V;
  /** Abandons the instruction with an exception that has no error code. */
  raise(vector: number): void;
  /** EIP of the next instruction in memory. */
  nextEip(): V;
  /** #GP(0) unless the code segment's limit admits the offset. */
  checkTarget(offset: V): void;
  /** Ends the instruction with EIP at an offset that was checked. */
  jump(offset: V): void;
  /** Ends this iteration of a REP; the instruction goes on with the next one. */
  repeat(): void;
  /**
   * May do some iterations of a REP ahead, never its last one, with all that they change: registers,
   * memory and the count of steps. Comes before anything of the iteration is read.
   */
  iterateAhead(operation: 'movs' | 'stos'): void;
  /** From here to the end of the instruction a fault puts ESP back to what it is now. */
  guardEsp(): void;
}

/** What one instruction does, on any abstract machine. */
export type Semantics = <V>(m: Ops<V>) => void;
