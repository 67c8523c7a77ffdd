/**
 * What the instructions of a region share while they are emitted: the function's locals, the flags
 * that were set but not worked out yet, and the code so far.
 */
import type { FlagOrigin } from '../isa/ops.js';
import { ByteSink, type Bytes, constant, I32, localSet, type Piece } from '../wasm/encoder.js';
import type { Expression } from '../wasm/expression.js';
import { type PageGroup, PageGroups } from './page-groups.js';
import {
  AUX_IS_RIGHT,
  AUX_IS_WORD,
  FIRST_TEMPORARY,
  LOCAL_AUX,
  LOCAL_AUX_KIND,
  LOCAL_RESULT,
} from './region-locals.js';

/** A flag word that was set: an expression over temporaries that are kept for it. */
interface Pending {
  readonly value: Expression;
  readonly owner: Temporaries;
}

/** Where flags that are known to come from somewhere come from, and the temporaries that this names. */
interface Origin {
  readonly origin: FlagOrigin<Expression>;
  readonly owner: Temporaries;
}

/** The temporaries of one instruction, given back when nothing refers to them any more. */
interface Temporaries {
  readonly locals: { readonly index: number; readonly type: number }[];
  uses: number;
}

export class RegionFrame {
  /** Types of all locals behind the parameter. */
  readonly locals: number[] = new Array<number>(FIRST_TEMPORARY - 1).fill(I32);
  readonly body = new ByteSink();
  /** What a block's accesses have in common. */
  readonly groups: PageGroups;
  /** Code of the block so far. */
  readonly #code: Piece[] = [];
  /** Looks of groups, which are put into the code once the block's accesses are known. */
  readonly #looks: { readonly place: Piece[]; readonly group: PageGroup }[] = [];
  /** Locals that are kept to the end of the block. */
  readonly #kept: number[] = [];
  /** Blocks, loops and ifs around what is emitted now, inside its basic block. */
  depth = 0;
  readonly #free = new Map<number, number[]>();
  readonly #pending: [Pending | null, Pending | null] = [null, null];
  #origin: Origin | null = null;
  #current: Temporaries = { locals: [], uses: 1 };

  /** @param isSplit each access is looked up alone. */
  constructor(isSplit: boolean) {
    this.groups = new PageGroups(isSplit);
  }

  startBlock(): void {
    this.origin = null;
    this.groups.reset();
  }

  /** Takes an instruction's code. */
  add(code: Bytes): void {
    this.#code.push(code);
  }

  /** Writes the block's instructions into the body. */
  endBlock(): void {
    for (const { place, group } of this.#looks) place.push(group.look());
    this.body.write(this.#code);
    this.#looks.length = 0;
    this.#code.length = 0;
    for (const index of this.#kept) this.#giveBack(I32, index);
    this.#kept.length = 0;
  }

  /** Where the look of a group will be. */
  placeOf(group: PageGroup): Bytes {
    const place: Piece[] = [];
    this.#looks.push({ place, group });
    return place;
  }

  /** A local of type I32 that nothing else uses to the end of the block. */
  kept(): number {
    const index = this.#free.get(I32)?.pop() ?? this.locals.push(I32);
    this.#kept.push(index);
    return index;
  }

  /** A local of the type that no pending value needs. */
  temporary(type: number): number {
    const index = this.#free.get(type)?.pop() ?? this.locals.push(type);
    this.#current.locals.push({ index, type });
    return index;
  }

  /** The instruction is done: what it alone used may serve the next one. */
  endInstruction(): void {
    this.#release(this.#current);
    this.#current = { locals: [], uses: 1 };
  }

  /** The value of a flag word (0 FLAG_RESULT, 1 FLAG_AUX) where it is pending, else null. */
  pending(word: 0 | 1): Expression | null {
    return this.#pending[word]?.value ?? null;
  }

  /** Sets a flag word, to be worked out when someone needs it. */
  setPending(word: 0 | 1, value: Expression | null): void {
    const old = this.#pending[word];
    this.#pending[word] = value === null ? null : { value, owner: this.#current };
    if (value !== null) this.#current.uses += 1;
    if (old !== null) this.#release(old.owner);
  }

  /** Where the flags come from; null where nobody knows. Settling them does not change it. */
  get origin(): FlagOrigin<Expression> | null {
    return this.#origin?.origin ?? null;
  }
  set origin(origin: FlagOrigin<Expression> | null) {
    const old = this.#origin;
    this.#origin = origin === null ? null : { origin, owner: this.#current };
    if (origin !== null) this.#current.uses += 1;
    if (old !== null) this.#release(old.owner);
  }

  /** Code that works pending flags out into their locals. */
  settleFlags(): Bytes {
    const code = this.flagsWorkedOut();
    this.setPending(0, null);
    this.setPending(1, null);
    return code;
  }

  /** As `settleFlags`, on a way out: on the way on they stay pending. */
  flagsWorkedOut(): Bytes {
    const result = this.pending(0);
    const aux = this.pending(1);
    const code: Piece[] = [];
    if (result !== null) code.push(result.code, localSet(LOCAL_RESULT));
    if (aux !== null) code.push(this.#auxWorkedOut(aux));
    return code;
  }

  /** Where the flags' origin tells FLAG_AUX, it is left to whoever needs it: almost always nobody does. */
  #auxWorkedOut(aux: Expression): Bytes {
    const { origin } = this;
    const isDeferred = origin?.size === 4 && this.pending(0) !== null;
    const value = isDeferred ? origin.right : aux;
    const kind = isDeferred ? AUX_IS_RIGHT[origin.kind] : AUX_IS_WORD;
    return [value.code, localSet(LOCAL_AUX), constant(kind), localSet(LOCAL_AUX_KIND)];
  }

  #release(owner: Temporaries): void {
    owner.uses -= 1;
    if (owner.uses > 0) return;
    for (const { index, type } of owner.locals) this.#giveBack(type, index);
    owner.locals.length = 0;
  }

  #giveBack(type: number, index: number): void {
    const free = this.#free.get(type);
    if (free === undefined) this.#free.set(type, [index]);
    else free.push(index);
  }
}
