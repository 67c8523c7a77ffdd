/**
 * The abstract machine whose values are numbers: a semantics run over it interprets the instruction,
 * with no code emitted. It is what the emitted handlers and blocks are compared with.
 */
import type { Core } from '../../../src/cpu/core.js';
import type { Decoded } from '../../../src/cpu/decoder/decode.js';
import { registerOffset } from '../../../src/cpu/engine/record.js';
import { raise, VECTOR_DE } from '../../../src/cpu/fault.js';
import { sizeOfWidth } from '../../../src/cpu/isa/form.js';
import type { Modifiable, Ops, PlainPlace, Size } from '../../../src/cpu/isa/ops.js';
import {
  checkCodeLimit,
  isUser,
  linearForWrite,
  readSegmented,
  writeSegmented,
} from '../../../src/cpu/segmentation.js';
import type { SegmentIndex } from '../../../src/cpu/state.js';
import * as L from '../../../src/cpu/state-layout.js';

function truncated(value: number, size: Size): number {
  return size === 4 ? value | 0 : value & (size === 1 ? 0xff : 0xffff);
}

function extended(value: number, size: Size): number {
  const shift = 32 - size * 8;
  return (value << shift) >> shift;
}

export class NumberOps implements Ops<number> {
  size: Size = 4;
  addressSize: 2 | 4 = 4;
  stack32 = true;
  rep: 0 | 0xf2 | 0xf3 = 0;

  readonly #core: Core;
  #decoded!: Decoded;
  #left: 'falls through' | 'goes elsewhere' = 'falls through';
  /** By operand: the address does not change though its registers may, between `modify` and `write`. */
  readonly #modifiable = new Map<number, Modifiable<number>>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** Executes one instruction at EIP, one iteration of a REP. @throws fault */
  execute(decoded: Decoded): void {
    const { encoding, instruction } = decoded;
    const { state } = this.#core;
    if (encoding.procedure !== null) {
      encoding.procedure(this.#core, instruction);
      if (!encoding.isTransfer) state.eip += instruction.length;
      state.set(L.ESP_GUARD, 0);
      return;
    }
    this.#decoded = decoded;
    this.size = sizeOfWidth(encoding.width, instruction.operandSize);
    this.addressSize = instruction.addressSize;
    this.stack32 = (state.get(L.MODE) & L.MODE_STACK32) !== 0;
    this.rep = instruction.rep;
    this.#left = 'falls through';
    this.#modifiable.clear();
    encoding.semantics?.(this);
    if (this.#hasFallenThrough()) state.eip += instruction.length;
    state.set(L.ESP_GUARD, 0);
  }

  #hasFallenThrough(): boolean {
    return this.#left === 'falls through';
  }

  constant(value: number): number {
    return value | 0;
  }
  add(a: number, b: number): number {
    return (a + b) | 0;
  }
  sub(a: number, b: number): number {
    return (a - b) | 0;
  }
  mul(a: number, b: number): number {
    return Math.imul(a, b);
  }
  mulHighU(a: number, b: number): number {
    return Number((BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n) | 0;
  }
  mulHighS(a: number, b: number): number {
    return Number((BigInt(a) * BigInt(b)) >> 32n) | 0;
  }
  remU(a: number, b: number): number {
    return ((a >>> 0) % (b >>> 0)) | 0;
  }
  and(a: number, b: number): number {
    return a & b;
  }
  or(a: number, b: number): number {
    return a | b;
  }
  xor(a: number, b: number): number {
    return a ^ b;
  }
  not(a: number): number {
    return ~a;
  }
  shl(a: number, count: number): number {
    return a << count;
  }
  shrU(a: number, count: number): number {
    return (a >>> count) | 0;
  }
  shrS(a: number, count: number): number {
    return a >> count;
  }
  rotl(a: number, count: number): number {
    return (count & 31) === 0 ? a : (a << count) | (a >>> -count);
  }
  rotr(a: number, count: number): number {
    return this.rotl(a, -count);
  }
  clz(a: number): number {
    return Math.clz32(a);
  }
  ctz(a: number): number {
    return a === 0 ? 32 : 31 - Math.clz32(a & -a);
  }
  popcnt(a: number): number {
    let ones = 0;
    for (let rest = a; rest !== 0; rest &= rest - 1) ones += 1;
    return ones;
  }
  eqz(a: number): number {
    return a === 0 ? 1 : 0;
  }
  eq(a: number, b: number): number {
    return a === b ? 1 : 0;
  }
  ne(a: number, b: number): number {
    return a === b ? 0 : 1;
  }
  ltU(a: number, b: number): number {
    return a >>> 0 < b >>> 0 ? 1 : 0;
  }
  ltS(a: number, b: number): number {
    return a < b ? 1 : 0;
  }
  gtU(a: number, b: number): number {
    return a >>> 0 > b >>> 0 ? 1 : 0;
  }
  geS(a: number, b: number): number {
    return a >= b ? 1 : 0;
  }
  select(condition: number, a: number, b: number): number {
    return condition !== 0 ? a : b;
  }
  signExtend(a: number, size: Size): number {
    return extended(a, size);
  }
  truncate(a: number, size: Size): number {
    return truncated(a, size);
  }
  let(value: number): number {
    return value;
  }

  divide(
    high: number,
    low: number,
    divisor: number,
    isSigned: boolean,
    quotientSize: Size,
  ): { quotient: number; remainder: number } {
    const dividend = (BigInt(isSigned ? high : high >>> 0) << 32n) | BigInt(low >>> 0);
    const d = BigInt(isSigned ? divisor : divisor >>> 0);
    if (d === 0n) raise(VECTOR_DE);
    const quotient = dividend / d;
    const bits = quotientSize * 8;
    const kept = isSigned ? BigInt.asIntN(bits, quotient) : BigInt.asUintN(bits, quotient);
    if (kept !== quotient) raise(VECTOR_DE);
    return { quotient: Number(quotient) | 0, remainder: Number(dividend % d) | 0 };
  }

  get(offset: number, size: Size = 4): number {
    const { state } = this.#core;
    if (size === 4) return state.i32[offset >> 2];
    return size === 2 ? state.u16[offset >> 1] : state.u8[offset];
  }

  set(offset: number, value: number, size: Size = 4): void {
    const { state } = this.#core;
    if (size === 4) state.i32[offset >> 2] = value;
    else if (size === 2) state.u16[offset >> 1] = value;
    else state.u8[offset] = value;
  }

  sizeOf(k: number): Size {
    const { encoding, instruction } = this.#decoded;
    return sizeOfWidth(encoding.operands[k].width, instruction.operandSize);
  }

  isMemory(k: number): boolean {
    const { place } = this.#decoded.encoding.operands[k];
    return place === 'offset' || (place === 'rm' && this.#decoded.instruction.isMemory);
  }

  read(k: number): number {
    const { encoding, instruction } = this.#decoded;
    const { place } = encoding.operands[k];
    if (place === 'immediate') return instruction.immediate;
    if (place === 'one') return 1;
    if (place === 'address') return this.address();
    const size = this.sizeOf(k);
    if (this.isMemory(k)) return this.load(this.segment(), this.address(), size);
    return this.get(this.#register(k), size);
  }

  modify(k: number): number {
    if (!this.isMemory(k)) return this.read(k);
    const place = this.modifyAt(this.segment(), this.address(), this.sizeOf(k));
    this.#modifiable.set(k, place);
    return place.value;
  }

  write(k: number, value: number): void {
    const size = this.sizeOf(k);
    const place = this.#modifiable.get(k);
    if (place !== undefined) place.store(value);
    else if (this.isMemory(k)) this.store(this.segment(), this.address(), size, value);
    else this.set(this.#register(k), value, size);
  }

  #register(k: number): number {
    const { encoding, instruction } = this.#decoded;
    const { place, register } = encoding.operands[k];
    if (place === 'fixed') return register;
    return registerOffset(place === 'reg' ? instruction.reg : instruction.rm, this.sizeOf(k));
  }

  address(): number {
    const { base, index, scale, displacement, addressSize } = this.#decoded.instruction;
    const sum = (this.get(base) + (this.get(index) << scale) + displacement) | 0;
    return truncated(sum, addressSize);
  }

  segment(): number {
    return this.#decoded.instruction.segment;
  }
  fixedSegment(segment: SegmentIndex): number {
    return segment;
  }

  load(segment: number, offset: number, size: Size): number {
    return readSegmented(this.#core, segment as SegmentIndex, offset, size);
  }
  store(segment: number, offset: number, size: Size, value: number): void {
    writeSegmented(this.#core, segment as SegmentIndex, offset, size, value);
  }
  modifyAt(segment: number, offset: number, size: Size): Modifiable<number> {
    const core = this.#core;
    const linear = linearForWrite(core, segment as SegmentIndex, offset, size);
    core.mmu.probeWrite(linear, size, isUser(core.state));
    return {
      value: core.mmu.read(linear, size, isUser(core.state)),
      store: (value) => this.store(segment, offset, size, value),
    };
  }

  supervisor(linear: number, bytes: number, kind: 'read' | 'write'): PlainPlace<number> {
    const { mmu, state } = this.#core;
    const first = mmu.plainHost(linear, kind === 'write', false);
    const last = mmu.plainHost((linear + bytes - 1) | 0, kind === 'write', false);
    const view = new DataView(state.memory.buffer);
    return {
      isThere: first >= 0 && last === first + bytes - 1 ? 1 : 0,
      load: (at) => view.getInt32(first + at, true),
      store: (at, value) => view.setInt32(first + at, value, true),
    };
  }

  when(condition: number, then: () => void, otherwise?: () => void): void {
    if (condition !== 0) then();
    else otherwise?.();
  }
  choose(condition: number, then: () => number, otherwise: () => number): number {
    return condition !== 0 ? then() : otherwise();
  }
  raise(vector: number): void {
    raise(vector);
  }
  nextEip(): number {
    return (this.#core.state.eip + this.#decoded.instruction.length) | 0;
  }
  checkTarget(offset: number): void {
    checkCodeLimit(this.#core, offset);
  }
  jump(offset: number): void {
    this.#core.state.eip = offset;
    this.#left = 'goes elsewhere';
  }
  repeat(): void {
    this.#core.state.f64[L.UNRETIRED >> 3] += 1;
    this.#left = 'goes elsewhere';
  }
  iterateAhead(): void {
    // Each iteration is done in its turn: that is what those done ahead are compared with.
  }
  guardEsp(): void {
    const { state } = this.#core;
    state.set(L.SAVED_ESP, state.esp);
    state.set(L.ESP_GUARD, 1);
  }
}
