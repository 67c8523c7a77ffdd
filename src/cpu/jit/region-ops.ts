/**
 * The abstract machine inside a compiled region: operands are constants, general registers are locals,
 * flags are worked out only where someone reads them, and flat segments need no check.
 */

import type { Decoded } from '../decoder/decode.js';
import { RECORD_BLOCK, RECORD_HANDLER, registerOffset } from '../engine/record.js';
import type { Form } from '../isa/form.js';
import type { FlagOrigin, Modifiable, Size } from '../isa/ops.js';
import * as L from '../state-layout.js';
import { type Bytes, constant, I32, localGet, localSet, memarg } from '../wasm/encoder.js';
import {
  computed,
  constantExpression,
  type Expression,
  localExpression,
  related,
} from '../wasm/expression.js';
import { type Access, LOADS, loadAt, STORES, WasmOps } from '../wasm/wasm-ops.js';
import { InstructionBinding } from './instruction-binding.js';
import { type GroupAccess, inGroup, isInGroup, PageGroup, relativeOf } from './page-groups.js';
import type { RegionInstruction } from './region.js';
import type { RegionFrame } from './region-frame.js';
import * as F from './region-locals.js';
import { isRegisterLocal, registerValue } from './region-locals.js';

const FLAT_SEGMENTS = new Set([L.SEG_ES, L.SEG_SS, L.SEG_DS].map(segmentOffset));

function segmentOffset(segment: number): number {
  return L.SEGMENTS + segment * L.SEGMENT_BYTES;
}

/** Gives the number by which the service `perform` knows a procedure. */
export type NumberProcedure = (decoded: Decoded) => number;

/** Where an instruction stands in its region. */
export interface Place {
  readonly instruction: RegionInstruction;
  /** Instructions of its block behind it. */
  readonly behind: number;
  /** Emits the way to the block at an offset of the page; null where the region has none. */
  branchTo(offset: number): Bytes | null;
  /** Emits the way to the block whose index is in LOCAL_BLOCK. */
  dispatch(): Bytes;
  /** Emits a way out of the region, to the offset in LOCAL_BLOCK. */
  wayOut(way: typeof WAY_ON | typeof WAY_SINGLE, deeper?: number): Bytes;
  readonly numberOf: NumberProcedure;
}

/** Out of the region and on with whatever is there. */
export const WAY_ON = 0;
/** Out of the region and on with one interpreted instruction. */
export const WAY_SINGLE = 1;

export class RegionOps extends WasmOps {
  readonly #frame: RegionFrame;
  readonly #place: Place;
  /** What ESP was, where it is set before the last access. */
  #guardedEsp: Expression | null = null;
  /** Branches around what is emitted now. */
  #branches = 0;

  constructor(frame: RegionFrame, place: Place, form: Form) {
    super(new InstructionBinding(form, place.instruction.decoded));
    this.#frame = frame;
    this.#place = place;
  }

  /** Writes the instruction's code into the frame's body. */
  emit(): void {
    const { decoded } = this.#place.instruction;
    if (decoded.encoding.semantics === null) this.#perform(decoded);
    else decoded.encoding.semantics(this);
    this.#frame.add(this.code);
    this.#frame.endInstruction();
  }

  /** Calls the procedure, behind which the block ends. */
  #perform(decoded: Decoded): void {
    if (this.#place.behind !== 0) throw new Error('a procedure in the middle of a block');
    this.#settleFlags();
    this.code.push(F.performAt(this.#eip(0).code, this.#place.numberOf(decoded)));
    this.#frame.origin = null;
    // A processor that freezes before an x87 instruction stays there.
    const eip = super.get(L.EIP);
    this.branch(this.ne(eip, this.nextEip()), () => {
      this.code.push(eip.code, localSet(F.LOCAL_BASE), constant(0), localSet(F.LOCAL_BLOCK));
      this.code.push(this.#place.wayOut(WAY_ON));
    });
  }

  override get(offset: number, size: Size = 4): Expression {
    if (offset < L.ZERO) return this.let(this.#register(offset, size));
    if (offset === L.ZERO) return constantExpression(0);
    if (offset === L.FLAG_RESULT) {
      return this.#copy(this.#frame.pending(0) ?? localExpression(F.LOCAL_RESULT));
    }
    if (offset === L.FLAG_AUX) return this.#copy(this.#frame.pending(1) ?? this.#settledAux());
    if (offset === L.EIP) return this.#eip(0);
    return super.get(offset, size);
  }

  override set(offset: number, value: Expression, size: Size = 4): void {
    if (offset === L.FLAG_RESULT) this.#setFlagWord(0, value);
    else if (offset === L.FLAG_AUX) this.#setFlagWord(1, value);
    else if (offset < L.ZERO) this.#setRegister(offset, value, size);
    else super.set(offset, value, size);
  }

  #settledAux(): Expression {
    this.code.push(F.WORK_OUT_AUX);
    return localExpression(F.LOCAL_AUX);
  }

  #setFlagWord(word: 0 | 1, value: Expression): void {
    // LOCAL_AUX may have to be worked out from the result that is about to go.
    if (word === 0 && this.#frame.pending(1) === null) this.#settledAux();
    this.#frame.setPending(word, value);
    this.#frame.origin = null;
  }

  noteFlagOrigin(origin: FlagOrigin<Expression>): void {
    this.#frame.origin = origin;
  }

  flagOrigin(): FlagOrigin<Expression> | null {
    return this.#frame.origin;
  }

  /** A local's value now: locals of registers change. */
  override let(value: Expression): Expression {
    return value.isBound && !isRegisterLocal(value) ? value : this.#copy(value);
  }

  #copy(value: Expression): Expression {
    const local = this.newLocal(I32);
    this.code.push(value.code, localSet(local));
    return related(localExpression(local), value.relative);
  }

  override add(a: Expression, b: Expression): Expression {
    return related(super.add(a, b), this.#frame.groups.sum(a, b));
  }

  override sub(a: Expression, b: Expression): Expression {
    return related(super.sub(a, b), this.#frame.groups.difference(a, b.constant));
  }

  override shl(a: Expression, count: Expression): Expression {
    return related(super.shl(a, count), this.#frame.groups.shifted(a, count.constant));
  }

  override when(condition: Expression, then: () => void, otherwise?: () => void): void {
    const bound = this.let(condition);
    this.#settleFlags();
    this.branch(
      bound,
      () => this.#settled(then),
      otherwise === undefined ? undefined : () => this.#settled(otherwise),
    );
  }

  override choose(
    condition: Expression,
    then: () => Expression,
    otherwise: () => Expression,
  ): Expression {
    const bound = this.let(condition);
    this.#settleFlags();
    return this.chooseValue(
      bound,
      () => this.#keepingOrigin(then),
      () => this.#keepingOrigin(otherwise),
    );
  }

  /** Where a branch sets flags nobody can say behind it where they come from. */
  #keepingOrigin<T>(branch: () => T): T {
    const { origin } = this.#frame;
    const result = branch();
    if (this.#frame.origin !== origin) this.#frame.origin = null;
    return result;
  }

  override nextEip(): Expression {
    return this.#eip(this.#place.instruction.decoded.instruction.length);
  }

  /** The code segment is flat, so every target lies inside it. */
  override checkTarget(): void {
    // Nothing to check.
  }

  override jump(offset: Expression): void {
    const { target } = this.#place.instruction;
    this.#settleFlags();
    const way = target === null ? null : this.#place.branchTo(target);
    if (way !== null) {
      this.code.push(way);
      return;
    }
    if (target === null) this.#jumpWithin(offset);
    this.#exit(offset);
  }

  /**
   * Goes to the block at a linear address, if it lies in the same page, and the jump cache has it as one of
   * this region. The code segment is flat; MODE, the generation and the page's translation are as they
   * were when the region was entered.
   */
  #jumpWithin(linear: Expression): void {
    const slot = this.and(linear, constantExpression(L.JUMP_CACHE_ENTRIES - 1));
    const shifted = this.shl(slot, constantExpression(L.JUMP_CACHE_ENTRY_SHIFT));
    const entry = this.let(this.add(shifted, constantExpression(L.JUMP_CACHE)));
    const head = this.let(loadAt(entry, L.JUMP_CACHE_RECORD));
    const own = localExpression(F.LOCAL_HEAD);
    const offset = this.sub(linear, localExpression(F.LOCAL_BASE));
    const isKnown = [
      this.eq(loadAt(entry, L.JUMP_CACHE_LINEAR), linear),
      this.ltU(offset, constantExpression(0x1000)),
      this.eq(loadAt(entry, L.JUMP_CACHE_MODE), super.get(L.MODE)),
      this.eq(loadAt(entry, L.JUMP_CACHE_GENERATION), super.get(L.CODE_GENERATION)),
      this.eq(loadAt(head, RECORD_HANDLER), loadAt(own, RECORD_HANDLER)),
    ].reduce((all, one) => this.and(all, one));
    this.branch(isKnown, () => {
      this.code.push(loadAt(head, RECORD_BLOCK).code, localSet(F.LOCAL_BLOCK));
      this.code.push(this.#place.dispatch());
    });
  }

  override repeat(): void {
    throw new Error('a repeated instruction is not compiled');
  }

  override raise(vector: number): void {
    this.#comeTo(this.#eip(0));
    this.code.push(F.handBackAt(localGet(F.LOCAL_BASE)));
    super.raise(vector);
  }

  protected override readRegister(k: number, size: Size): Expression {
    return this.get(this.#operandRegister(k, size), size);
  }

  protected override writeRegister(k: number, value: Expression, size: Size): void {
    this.set(this.#operandRegister(k, size), value, size);
  }

  protected override baseRegister(): Expression | null {
    const { base } = this.#place.instruction.decoded.instruction;
    return base === L.ZERO ? null : this.#register(base, 4);
  }

  protected override indexRegister(): Expression | null {
    const { index } = this.#place.instruction.decoded.instruction;
    return index === L.ZERO ? null : this.#register(index, 4);
  }

  protected override fastAccess(
    segment: Expression,
    offset: Expression,
    size: Size,
    belowField: number,
    tagField: number,
  ): Access {
    const isFlat = segment.constant !== undefined && FLAT_SEGMENTS.has(segment.constant);
    if (!isFlat) return super.fastAccess(segment, offset, size, belowField, tagField);
    const relative = relativeOf(offset) ?? this.#frame.groups.fresh();
    const { root } = relative;
    const one = { offset: relative.offset, size, isWritten: tagField === L.TLB_WRITE_TAG };
    const known = this.#frame.groups.find(root, one);
    if (known !== undefined) return inGroup(known, segment, offset, one);
    const linear = this.let(offset);
    // Where control flow has parted, what is looked up here is not known later.
    if (this.#branches > 0) {
      const access = this.translate(linear, size, tagField);
      return { segment, offset: linear, isFast: access.hasPage, host: access.host };
    }
    return inGroup(this.#newGroup(linear, root, one), segment, linear, one);
  }

  /** A group whose look is taken here. */
  #newGroup(linear: Expression, root: number, first: GroupAccess): PageGroup {
    const frame = this.#frame;
    const bound = linear.constant === undefined ? linear : this.#copy(linear);
    const way = this.nested(() => this.#giveBack());
    const locals = {
      linear: localIndex(bound),
      entry: this.newLocal(I32),
      second: this.newLocal(I32),
      host: frame.kept(),
      tlb: F.LOCAL_TLB,
    };
    const giveBack = (deeper: number) => [way, this.#place.wayOut(WAY_SINGLE, deeper)];
    const group = new PageGroup(frame.groups.reach, first, locals, giveBack);
    frame.groups.add(root, group);
    this.code.push(frame.placeOf(group));
    return group;
  }

  protected override loadFast(access: Access, size: Size): Expression {
    if (!isInGroup(access)) return super.loadFast(access, size);
    const code = [access.host.code, LOADS[size], ...memarg(access.displacement)];
    return computed(code);
  }

  protected override storeFast(access: Access, size: Size, value: Expression): void {
    if (!isInGroup(access)) {
      super.storeFast(access, size, value);
      return;
    }
    const place = memarg(access.displacement);
    this.code.push(access.host.code, value.code, STORES[size], ...place);
  }

  protected override tlbBase(): Expression {
    return localExpression(F.LOCAL_TLB);
  }

  override guardEsp(): void {
    this.#guardedEsp = this.#copy(this.#register(L.ESP, 4));
  }

  override modifyAt(segment: Expression, offset: Expression, size: Size): Modifiable<Expression> {
    const access = this.fastAccess(segment, offset, size, L.SEGMENT_WRITE_BELOW, L.TLB_WRITE_TAG);
    const value = this.loadEither(access, size);
    return { value, store: (stored) => this.storeFast(access, size, this.let(stored)) };
  }

  protected override loadEither(access: Access, size: Size): Expression {
    if (!isInGroup(access)) this.#elseInterpret(access.isFast);
    return this.#copy(this.loadFast(access, size));
  }

  protected override storeEither(access: Access, size: Size, value: Expression): void {
    if (!isInGroup(access)) this.#elseInterpret(access.isFast);
    this.storeFast(access, size, value);
  }

  /**
   * Unless the condition holds, leaves the instruction, which has changed nothing yet that doing it again
   * would change otherwise, to the interpreter. A call of the slow path from here would have TurboFan
   * keep every register in memory.
   */
  #elseInterpret(isFast: Expression): void {
    this.branch(this.eqz(isFast), () => {
      this.#giveBack();
      this.code.push(this.#place.wayOut(WAY_SINGLE));
    });
  }

  /** Makes everything ready for the way to the interpreter, which does this instruction. */
  #giveBack(): void {
    const { instruction, behind } = this.#place;
    this.code.push(this.#frame.flagsWorkedOut());
    if (this.#guardedEsp !== null) this.#setRegister(L.ESP, this.#guardedEsp, 4);
    const left = this.add(localExpression(F.LOCAL_LEFT), constantExpression(behind + 1));
    this.code.push(left.code, localSet(F.LOCAL_LEFT));
    this.code.push(constant(instruction.offset), localSet(F.LOCAL_BLOCK));
  }

  protected override leave(eip: Expression): void {
    this.#exit(eip);
  }

  protected override newLocal(type: number): number {
    return this.#frame.temporary(type);
  }

  protected override nested(emit: () => void): Bytes {
    const before = this.#frame.groups.save();
    this.#branches += 1;
    this.#frame.depth += 1;
    const inner = super.nested(emit);
    this.#frame.depth -= 1;
    this.#branches -= 1;
    this.#frame.groups.merge(before);
    return inner;
  }

  /** Runs a branch of the semantics, and leaves the flags that it sets in their locals. */
  #settled(branch: () => void): void {
    this.#keepingOrigin(branch);
    this.#settleFlags();
  }

  #settleFlags(): void {
    this.code.push(this.#frame.settleFlags());
  }

  #eip(further: number): Expression {
    const offset = constantExpression(this.#place.instruction.offset + further);
    return this.add(localExpression(F.LOCAL_BASE), offset);
  }

  /** Has the locals as they are to be on the way out: EIP as a whole in LOCAL_BASE. */
  #comeTo(eip: Expression): void {
    const { behind } = this.#place;
    this.code.push(this.#frame.flagsWorkedOut());
    const left = this.add(localExpression(F.LOCAL_LEFT), constantExpression(behind));
    this.code.push(left.code, localSet(F.LOCAL_LEFT), eip.code, localSet(F.LOCAL_BASE));
  }

  /** Out of the region with EIP as given; the present instruction is done. */
  #exit(eip: Expression): void {
    this.#comeTo(eip);
    this.code.push(constant(0), localSet(F.LOCAL_BLOCK), this.#place.wayOut(WAY_ON));
  }

  #operandRegister(k: number, size: Size): number {
    const { encoding, instruction } = this.#place.instruction.decoded;
    const { place } = encoding.operands[k];
    return registerOffset(place === 'reg' ? instruction.reg : instruction.rm, size);
  }

  /** A register's value, or a part of it, straight from its local. */
  #register(offset: number, size: Size): Expression {
    const value = registerValue(offset, size);
    if (size !== 4) return value;
    return related(value, this.#frame.groups.register(offset >> 2));
  }

  #setRegister(offset: number, value: Expression, size: Size): void {
    const relative = size === 4 ? relativeOf(value) : null;
    this.#frame.groups.setRegister(offset >> 2, relative);
    const local = F.LOCAL_REGISTERS + (offset >> 2);
    const shift = (offset & 3) * 8;
    let merged = value;
    if (size !== 4) {
      const mask = (size === 2 ? 0xffff : 0xff) << shift;
      const kept = this.and(localExpression(local), constantExpression(~mask));
      const placed = shift === 0 ? value : this.shl(value, constantExpression(shift));
      merged = this.or(kept, this.and(placed, constantExpression(mask)));
    }
    this.code.push(merged.code, localSet(local));
  }
}

function localIndex({ local }: Expression): number {
  if (local === undefined) throw new Error('this value is in no local');
  return local;
}
