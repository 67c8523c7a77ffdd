/**
 * The abstract machine whose values are WebAssembly expressions: a semantics run over it emits the
 * body of a function that does what the instruction does.
 *
 * Memory accesses are inlined as far as the common case goes: the offset lies below the segment's fast
 * limit and the TLB has the page. Everything else (faults, devices, page crossings, pages that someone
 * watches) is an imported function that does the whole access from the start.
 */
import { BULK_MOVS, BULK_STOS } from '../engine/string-bulk.js';
import { VECTOR_GP } from '../fault.js';
import { isMemoryOperand, sizeOfWidth } from '../isa/form.js';
import type { Modifiable, Ops, PlainPlace, Size } from '../isa/ops.js';
import type { SegmentIndex } from '../state.js';
import * as L from '../state-layout.js';
import type { Binding } from './binding.js';
import { type Bytes, constant, memarg, OP } from './encoder.js';
import { computed, constantExpression, type Expression } from './expression.js';
import { tlbEntry } from './state-words.js';
import { WasmEmitter } from './wasm-emitter.js';

/** Iterations left from which on the call that does some ahead pays. */
const WORTH_AHEAD = 8;

export const LOADS = { 1: OP.i32Load8U, 2: OP.i32Load16U, 4: OP.i32Load } as const;
export const STORES = { 1: OP.i32Store8, 2: OP.i32Store16, 4: OP.i32Store } as const;

/** A memory access whose parts are bound. */
export interface Access {
  readonly segment: Expression;
  readonly offset: Expression;
  /** Not zero where `host` may be used. */
  readonly isFast: Expression;
  /** The operand's offset in the one memory. */
  readonly host: Expression;
}

export class WasmOps extends WasmEmitter implements Ops<Expression> {
  readonly size: Size;
  readonly addressSize: 2 | 4;
  readonly stack32: boolean;
  readonly rep: 0 | 0xf2 | 0xf3;

  protected readonly binding: Binding;
  protected boundAddress: Expression | null = null;
  protected guardsEsp = false;
  /** By operand. */
  protected readonly modifiable: (Modifiable<Expression> | undefined)[] = [];

  constructor(binding: Binding) {
    super();
    this.binding = binding;
    const { form } = binding;
    this.size = sizeOfWidth(form.encoding.width, form.operandSize);
    this.addressSize = form.addressSize;
    this.stack32 = form.stack32;
    this.rep = form.rep;
  }

  /** The finished function body: EIP moved on, then what is given. @param onward code that returns. */
  finish(onward: Bytes): Bytes {
    this.arrive(this.nextEip());
    return [...this.code, ...onward];
  }

  /** The finished function body of a handler: what its shortcut did not settle, the procedure does. */
  finishByProcedure(): Bytes {
    const { code } = this.callService('procedure', this.binding.again());
    return [...this.code, ...code, ...constant(0), OP.return];
  }

  get(offset: number, size: Size = 4): Expression {
    return this.let(computed([...constant(0), LOADS[size], ...memarg(offset)]));
  }

  set(offset: number, value: Expression, size: Size = 4): void {
    this.code.push(...constant(0), ...value.code, STORES[size], ...memarg(offset));
  }

  sizeOf(k: number): Size {
    const { form } = this.binding;
    return sizeOfWidth(form.encoding.operands[k].width, form.operandSize);
  }

  isMemory(k: number): boolean {
    return isMemoryOperand(this.binding.form, k);
  }

  read(k: number): Expression {
    const operand = this.binding.form.encoding.operands[k];
    switch (operand.place) {
      case 'immediate':
        return this.let(this.binding.immediate());
      case 'one':
        return constantExpression(1);
      case 'fixed':
        return this.get(operand.register, this.sizeOf(k));
      case 'address':
        return this.address();
      case 'reg':
      case 'rm':
      case 'offset': {
        const size = this.sizeOf(k);
        if (this.isMemory(k)) return this.load(this.segment(), this.address(), size);
        return this.readRegister(k, size);
      }
    }
  }

  modify(k: number): Expression {
    if (!this.isMemory(k)) return this.read(k);
    const place = this.modifyAt(this.segment(), this.address(), this.sizeOf(k));
    this.modifiable[k] = place;
    return place.value;
  }

  write(k: number, value: Expression): void {
    const size = this.sizeOf(k);
    if (this.isMemory(k)) {
      const place = this.modifiable[k];
      if (place !== undefined) place.store(value);
      else this.store(this.segment(), this.address(), size, value);
      return;
    }
    const operand = this.binding.form.encoding.operands[k];
    if (operand.place === 'fixed') {
      this.set(operand.register, value, size);
      return;
    }
    this.writeRegister(k, value, size);
  }

  address(): Expression {
    if (this.boundAddress !== null) return this.boundAddress;
    const base = this.baseRegister();
    const index = this.indexRegister();
    let sum = this.binding.displacement();
    if (base !== null) sum = this.add(base, sum);
    if (index !== null) sum = this.add(sum, this.shl(index, this.binding.scale()));
    this.boundAddress = this.let(this.addressSize === 2 ? this.truncate(sum, 2) : sum);
    return this.boundAddress;
  }

  segment(): Expression {
    return this.binding.segment();
  }

  fixedSegment(segment: SegmentIndex): Expression {
    return constantExpression(L.SEGMENTS + segment * L.SEGMENT_BYTES);
  }

  load(segment: Expression, offset: Expression, size: Size): Expression {
    const access = this.fastAccess(segment, offset, size, L.SEGMENT_READ_BELOW, L.TLB_READ_TAG);
    return this.loadEither(access, size, 'load');
  }

  store(segment: Expression, offset: Expression, size: Size, value: Expression): void {
    const bound = this.let(value);
    const access = this.fastAccess(segment, offset, size, L.SEGMENT_WRITE_BELOW, L.TLB_WRITE_TAG);
    this.storeEither(access, size, bound);
  }

  modifyAt(segment: Expression, offset: Expression, size: Size): Modifiable<Expression> {
    const access = this.fastAccess(segment, offset, size, L.SEGMENT_WRITE_BELOW, L.TLB_WRITE_TAG);
    const value = this.loadEither(access, size, 'modify');
    return { value, store: (stored) => this.storeEither(access, size, this.let(stored)) };
  }

  supervisor(linear: Expression, bytes: number, kind: 'read' | 'write'): PlainPlace<Expression> {
    const tag = kind === 'read' ? L.TLB_READ_TAG : L.TLB_WRITE_TAG;
    const tlb = constantExpression(L.TLB_SUPERVISOR);
    const { hasPage, host } = this.translate(linear, bytes, tag, tlb);
    return {
      isThere: hasPage,
      load: (at) => loadAt(host, at),
      store: (at, value) =>
        void this.code.push(...host.code, ...value.code, OP.i32Store, ...memarg(at)),
    };
  }

  when(condition: Expression, then: () => void, otherwise?: () => void): void {
    this.branch(condition, then, otherwise);
  }

  choose(condition: Expression, then: () => Expression, otherwise: () => Expression): Expression {
    return this.chooseValue(condition, then, otherwise);
  }

  raise(vector: number): void {
    const { code } = this.callService('raise', constantExpression(vector));
    this.code.push(...code, OP.unreachable);
  }

  nextEip(): Expression {
    return this.let(this.add(this.get(L.EIP), this.binding.length()));
  }

  checkTarget(offset: Expression): void {
    const limit = this.get(L.SEGMENTS + L.SEG_CS * L.SEGMENT_BYTES + L.SEGMENT_LIMIT);
    this.when(this.gtU(offset, limit), () => this.raise(VECTOR_GP));
  }

  jump(offset: Expression): void {
    this.leave(offset);
  }

  repeat(): void {
    this.code.push(
      ...constant(0),
      ...constant(0),
      OP.f64Load,
      ...memarg(L.UNRETIRED),
      OP.f64Const,
      0,
      0,
      0,
      0,
      0,
      0,
      0xf0,
      0x3f, // 1.0
      OP.f64Add,
      OP.f64Store,
      ...memarg(L.UNRETIRED),
      ...this.binding.again().code,
      OP.return,
    );
  }

  iterateAhead(operation: 'movs' | 'stos'): void {
    if (this.addressSize === 2) return;
    const count = this.get(L.ECX);
    this.branch(this.gtU(count, constantExpression(WORTH_AHEAD)), () => {
      const kind = constantExpression(operation === 'movs' ? BULK_MOVS : BULK_STOS);
      const { code } = this.callService(
        'bulk',
        kind,
        this.segment(),
        constantExpression(this.size),
      );
      this.code.push(...code);
    });
  }

  guardEsp(): void {
    this.guardsEsp = true;
    this.set(L.SAVED_ESP, this.get(L.ESP));
    this.set(L.ESP_GUARD, constantExpression(1));
  }

  /** The instruction is done, and EIP has to be looked up. */
  protected leave(eip: Expression): void {
    this.arrive(eip);
    this.code.push(...constant(0), OP.return);
  }

  /** The instruction is done. */
  protected arrive(eip: Expression): void {
    if (this.guardsEsp) this.set(L.ESP_GUARD, constantExpression(0));
    this.set(L.EIP, eip);
  }

  /** The full 32 bits of the base and of the index register; null where the form has none. */
  protected baseRegister(): Expression | null {
    const address = this.binding.base();
    return address === null ? null : loadAt(address, 0);
  }

  protected indexRegister(): Expression | null {
    const address = this.binding.index();
    return address === null ? null : loadAt(address, 0);
  }

  /** Operand k, a register that the instruction names. */
  protected readRegister(k: number, size: Size): Expression {
    const code = [...this.binding.registerAddress(k).code, LOADS[size], ...memarg(0)];
    return this.let(computed(code));
  }

  protected writeRegister(k: number, value: Expression, size: Size): void {
    const address = this.binding.registerAddress(k);
    this.code.push(...address.code, ...value.code, STORES[size], ...memarg(0));
  }

  /** The value from RAM, or from the import that does the whole access. */
  protected loadEither(access: Access, size: Size, slow: 'load' | 'modify'): Expression {
    return this.chooseValue(
      access.isFast,
      () => this.loadFast(access, size),
      () => this.callService(slow, access.segment, access.offset, constantExpression(size)),
    );
  }

  protected storeEither(access: Access, size: Size, value: Expression): void {
    this.branch(
      access.isFast,
      () => this.storeFast(access, size, value),
      () => {
        const { segment, offset } = access;
        const call = this.callService('store', segment, offset, constantExpression(size), value);
        this.code.push(...call.code);
      },
    );
  }

  /** The value from RAM. */
  protected loadFast({ host }: Access, size: Size): Expression {
    return computed([...host.code, LOADS[size], ...memarg(0)]);
  }

  protected storeFast({ host }: Access, size: Size, value: Expression): void {
    this.code.push(...host.code, ...value.code, STORES[size], ...memarg(0));
  }

  /** Binds the parts of an access: its host address, and whether that may be used. */
  protected fastAccess(
    segment: Expression,
    offset: Expression,
    size: Size,
    belowField: number,
    tagField: number,
  ): Access {
    const seg = this.let(segment);
    const off = this.let(offset);
    const below = loadAt(seg, belowField);
    const linear = this.let(this.add(off, loadAt(seg, L.SEGMENT_BASE)));
    const { hasPage, host } = this.translate(linear, size, tagField);
    const isFast = this.let(this.and(hasPage, this.ltU(off, below)));
    return { segment: seg, offset: off, isFast, host };
  }

  /** Looks a bound linear address up in the TLB; `host` is of use only where it has the page. */
  protected translate(
    linear: Expression,
    bytes: number,
    tagField: number,
    tlb: Expression = this.tlbBase(),
  ): { hasPage: Expression; host: Expression } {
    const entry = this.let(computed(tlbEntry(linear.code, tlb.code)));
    const last = bytes === 1 ? linear : this.add(linear, constantExpression(bytes - 1));
    const page = this.and(last, constantExpression(~0xfff));
    const hasPage = this.let(this.eq(page, loadAt(entry, tagField)));
    const host = this.let(this.add(linear, loadAt(entry, L.TLB_ADDEND)));
    return { hasPage, host };
  }

  protected tlbBase(): Expression {
    return this.get(L.TLB_BASE);
  }

  /** An address bound inside a branch is not bound outside of it. */
  protected override nested(emit: () => void): Bytes {
    const outer = this.boundAddress;
    const inner = super.nested(emit);
    this.boundAddress = outer;
    return inner;
  }
}

/** The 32-bit word at an offset from an address in the one memory. */
export function loadAt(address: Expression, offset: number): Expression {
  return computed([...address.code, OP.i32Load, ...memarg(offset)]);
}
