/**
 * Accesses of a block that one look at the TLB serves: those whose addresses differ by constants, and by so little that
 * they most often lie in one page. The look comes before the first of them, and covers all of them: no
 * instruction of a region changes the TLB, so what holds there holds to the block's end.
 */
import * as L from '../state-layout.js';
import {
  type Bytes,
  constant,
  localGet,
  localSet,
  memarg,
  OP,
  type Piece,
  unsigned,
  VOID,
} from '../wasm/encoder.js';
import {
  constantExpression,
  type Expression,
  localExpression,
  type Relative,
} from '../wasm/expression.js';
import { tlbEntry } from '../wasm/state-words.js';
import type { Access } from '../wasm/wasm-ops.js';

/** How far apart accesses of one group may be, in bytes. */
const REACH = 256;
/** What a group's host address is less than its first access's, so that offsets from it are not negative. */
const BIAS = 0x1000;
const PAGE = ~0xfff;

/** An access, as the first of a group. */
export interface GroupAccess {
  /** From its root. */
  readonly offset: number;
  readonly size: number;
  readonly isWritten: boolean;
}

/** An access that its group looks up. */
interface AccessInGroup extends Access {
  /** To be added to `host`. */
  readonly displacement: number;
}

export function isInGroup(access: Access): access is AccessInGroup {
  return 'displacement' in access;
}

/** Locals that the code of a group's look may use, all of I32. */
export interface GroupLocals {
  /** The first access's linear address. */
  readonly linear: number;
  readonly entry: number;
  readonly second: number;
  /** Kept to the end of the block: what is added to offsets. */
  readonly host: number;
  /** The TLB. */
  readonly tlb: number;
}

export class PageGroup {
  readonly #reach: number;
  readonly #first: GroupAccess;
  readonly #locals: GroupLocals;
  /** The way to the interpreter. @param deeper blocks around it. */
  readonly #giveBack: (deeper: number) => Bytes;
  /** First and last byte, from the first access's offset. */
  #low = 0;
  #high: number;
  #isWritten: boolean;

  /** @param reach how far apart accesses of it may be, in bytes. */
  constructor(
    reach: number,
    first: GroupAccess,
    locals: GroupLocals,
    giveBack: (deeper: number) => Bytes,
  ) {
    this.#reach = reach;
    this.#first = first;
    this.#high = first.size - 1;
    this.#isWritten = first.isWritten;
    this.#locals = locals;
    this.#giveBack = giveBack;
  }

  /** The local to which `displacement` is to be added. */
  get host(): number {
    return this.#locals.host;
  }

  displacement(offset: number): number {
    return ((offset - this.#first.offset) | 0) + BIAS;
  }

  /** Takes an access in, if it is near enough. */
  admits({ offset, size, isWritten }: GroupAccess): boolean {
    const from = (offset - this.#first.offset) | 0;
    const low = Math.min(this.#low, from);
    const high = Math.max(this.#high, from + size - 1);
    if (high - low >= this.#reach) return false;
    this.#low = low;
    this.#high = high;
    this.#isWritten ||= isWritten;
    return true;
  }

  /** The look at the TLB, once all accesses are known. */
  look(): Bytes {
    const { linear, entry, host, tlb } = this.#locals;
    const tag = tagOf(this.#isWritten);
    const code: Piece[] = [tlbEntry(moved(linear, this.#low), localGet(tlb))];
    code.push(OP.localTee, ...unsigned(entry), OP.i32Load, ...memarg(tag));
    code.push(pageOf(moved(linear, this.#high)), OP.i32Ne, OP.if, VOID);
    const isInOnePlace = this.#high - this.#low < this.#first.size;
    if (!isInOnePlace) code.push(this.#areNoNeighbours(tag), OP.if, VOID);
    if (!isInOnePlace || this.#isWritten !== this.#first.isWritten) code.push(this.#noteSplit());
    code.push(this.#giveBack(isInOnePlace ? 1 : 2));
    if (!isInOnePlace) code.push(OP.end);
    code.push(OP.end, localGet(linear), addend(entry), OP.i32Add);
    code.push(constant(BIAS), OP.i32Sub, localSet(host));
    return code;
  }

  /** Not zero unless the accesses lie in pages that may be accessed, and are neighbours in RAM, too. */
  #areNoNeighbours(tag: number): Bytes {
    const { linear, entry, second, tlb } = this.#locals;
    const code: Piece[] = [pageOf(moved(linear, this.#low))];
    code.push(localGet(entry), OP.i32Load, ...memarg(tag), OP.i32Ne);
    code.push(tlbEntry(moved(linear, this.#high), localGet(tlb)));
    code.push(OP.localTee, ...unsigned(second), OP.i32Load, ...memarg(tag));
    code.push(pageOf(moved(linear, this.#high)), OP.i32Ne, OP.i32Or);
    code.push(addend(entry), addend(second), OP.i32Ne, OP.i32Or);
    // Behind the last page comes none: an access over its end lies outside of its segment.
    code.push(pageOf(moved(linear, this.#high)), OP.i32Eqz, OP.i32Or);
    return code;
  }

  /** Says whether the first access alone might have been made. */
  #noteSplit(): Bytes {
    const { linear, tlb } = this.#locals;
    const code: Piece[] = [constant(0), tlbEntry(moved(linear, 0), localGet(tlb))];
    code.push(OP.i32Load, ...memarg(tagOf(this.#first.isWritten)));
    code.push(pageOf(moved(linear, this.#first.size - 1)));
    code.push(OP.i32Eq, OP.i32Store, ...memarg(L.ACCESS_SPLIT));
    return code;
  }
}

function tagOf(isWritten: boolean): number {
  return isWritten ? L.TLB_WRITE_TAG : L.TLB_READ_TAG;
}

/** The local's value and so much more. */
function moved(index: number, by: number): Bytes {
  const value = localGet(index);
  return by === 0 ? value : [value, constant(by), OP.i32Add];
}

function pageOf(address: Bytes): Bytes {
  return [address, constant(PAGE), OP.i32And];
}

function addend(entry: number): Bytes {
  return [localGet(entry), OP.i32Load, ...memarg(L.TLB_ADDEND)];
}

/** What values of one block are to one another, and the groups so far. */
export class PageGroups {
  /** How far apart the accesses of a group may be: 0, and each is looked up alone. */
  readonly reach: number;
  readonly #registers: (Relative | null)[] = new Array<Relative | null>(8).fill(null);
  readonly #groups = new Map<number, PageGroup[]>();
  /** Roots of sums of two roots, and of shifted ones. */
  readonly #derived = new Map<number, number>();
  #roots = 0;

  constructor(isSplit: boolean) {
    this.reach = isSplit ? 0 : REACH;
  }

  /** A new block begins: registers may have any value. */
  reset(): void {
    this.#registers.fill(null);
    this.#groups.clear();
    this.#derived.clear();
    this.#roots = 0;
  }

  register(index: number): Relative {
    const known = this.#registers[index];
    if (known !== null) return known;
    const fresh = this.fresh();
    this.#registers[index] = fresh;
    return fresh;
  }

  setRegister(index: number, value: Relative | null): void {
    this.#registers[index] = value;
  }

  /** What registers are now, and later again: for branches. */
  save(): (Relative | null)[] {
    return this.#registers.slice();
  }

  /** A branch ends: what it changed may have either value. */
  merge(before: readonly (Relative | null)[]): void {
    before.forEach((value, i) => {
      if (this.#registers[i] !== value) this.#registers[i] = null;
    });
  }

  /** A value of which nothing is known. */
  fresh(): Relative {
    this.#roots += 1;
    return { root: this.#roots, offset: 0 };
  }

  sum(a: Expression, b: Expression): Relative | undefined {
    const { relative: left } = a;
    const { relative: right } = b;
    if (left !== undefined && b.constant !== undefined) return plus(left, b.constant);
    if (right !== undefined && a.constant !== undefined) return plus(right, a.constant);
    if (left === undefined || right === undefined) return undefined;
    const key = (left.root << 16) | (right.root << 1);
    return { root: this.#derive(key), offset: (left.offset + right.offset) | 0 };
  }

  difference({ relative }: Expression, by: number | undefined): Relative | undefined {
    return relative === undefined || by === undefined ? undefined : plus(relative, -by);
  }

  shifted({ relative }: Expression, by: number | undefined): Relative | undefined {
    if (relative === undefined || by === undefined) return undefined;
    const key = (relative.root << 16) | ((by & 31) << 1) | 1;
    return { root: this.#derive(key), offset: relative.offset << by };
  }

  /** The group that takes an access in, if there is one. */
  find(root: number, access: GroupAccess): PageGroup | undefined {
    return this.#groups.get(root)?.find((group) => group.admits(access));
  }

  add(root: number, group: PageGroup): void {
    const groups = this.#groups.get(root);
    if (groups === undefined) this.#groups.set(root, [group]);
    else groups.push(group);
  }

  #derive(key: number): number {
    const known = this.#derived.get(key);
    if (known !== undefined) return known;
    this.#roots += 1;
    this.#derived.set(key, this.#roots);
    return this.#roots;
  }
}

function plus({ root, offset }: Relative, by: number): Relative {
  return { root, offset: (offset + by) | 0 };
}

/** The root of constants. */
const CONSTANTS = 0;

/** What is known of a value; null where nothing is. */
export function relativeOf({ constant: value, relative }: Expression): Relative | null {
  return value === undefined ? (relative ?? null) : { root: CONSTANTS, offset: value };
}

/** An access of a group, whose look is taken before it. */
export function inGroup(
  group: PageGroup,
  segment: Expression,
  offset: Expression,
  access: GroupAccess,
): AccessInGroup {
  return {
    segment,
    offset,
    isFast: constantExpression(1),
    host: localExpression(group.host),
    displacement: group.displacement(access.offset),
  };
}
