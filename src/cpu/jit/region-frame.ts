/**
 * What the instructions of a region share while they are emitted: the function's locals, the flags
 * that were set but not worked out yet, and the code so far.
 *
 * Locals of a region's function. The parameter is the head record. Between instructions a general
 * register is in its local and nowhere else; state words are written before anything that may look at
 * them: an import that may throw, and the return.
 */

import type { FlagOrigin } from '../isa/ops.js';
import { ByteSink, type Bytes, I32, localSet, OP, type Piece } from '../wasm/encoder.js';
import { type Expression, localExpression } from '../wasm/expression.js';
import { callService } from '../wasm/services.js';

/** The head record by which the region was entered. */
export const LOCAL_HEAD = 0;
/** EAX to EDI. */
export const LOCAL_REGISTERS = 1;
/** FLAG_RESULT and FLAG_AUX, where they are not pending. */
export const LOCAL_RESULT = 9;
export const LOCAL_AUX = 10;
/** The budget that is left behind the present block. */
export const LOCAL_LEFT = 11;
/** EIP of the page's first byte. */
export const LOCAL_BASE = 12;
/** Index of the block to go to; on the way out, EIP's offset in the page. */
export const LOCAL_BLOCK = 13;
export const LOCAL_TLB = 14;
const FIRST_TEMPORARY = 15;

/** Registers and flag words, as `spill` takes them. */
const GET_STATE: Bytes = Array.from({ length: 10 }, (_, i) => [
  OP.localGet,
  LOCAL_REGISTERS + i,
]).flat();

/** Code that writes the state words from the locals, EIP as given. */
export function spillAt(eip: Bytes): Bytes {
  return [GET_STATE, eip, OP.localGet, LOCAL_LEFT, callService('spill')];
}

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
  /** Blocks, loops and ifs around what is emitted now, inside its basic block. */
  depth = 0;
  readonly #free = new Map<number, number[]>();
  readonly #pending: [Pending | null, Pending | null] = [null, null];
  #origin: Origin | null = null;
  #current: Temporaries = { locals: [], uses: 1 };

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

  /** What a flag word is now, without a copy: for use before anything else is emitted. */
  flagWord(word: 0 | 1): Expression {
    return this.pending(word) ?? localExpression(word === 0 ? LOCAL_RESULT : LOCAL_AUX);
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
    const code: Piece[] = [];
    for (const word of [0, 1] as const) {
      const value = this.pending(word);
      if (value !== null) code.push(value.code, localSet(word === 0 ? LOCAL_RESULT : LOCAL_AUX));
    }
    return code;
  }

  #release(owner: Temporaries): void {
    owner.uses -= 1;
    if (owner.uses > 0) return;
    for (const { index, type } of owner.locals) {
      const free = this.#free.get(type);
      if (free === undefined) this.#free.set(type, [index]);
      else free.push(index);
    }
    owner.locals.length = 0;
  }
}
