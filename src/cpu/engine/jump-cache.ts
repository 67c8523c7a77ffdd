/**
 * The jump cache (state-layout.ts) as TypeScript fills it and as emitted code looks it up.
 *
 * An entry is tied to the TLB. It survives a flush, which a guest's kernel brings about thousands of times a
 * second, and counts again as soon as its page was looked up anew.
 */
import { MAX_INSTRUCTION_BYTES } from '../decoder/decode.js';
import type { State } from '../state.js';
import * as L from '../state-layout.js';
import { type Bytes, constant, localGet, localSet, memarg, OP } from '../wasm/encoder.js';
import { loadWord, tlbEntry } from '../wasm/state-words.js';

function entryOf(linear: number): number {
  return L.JUMP_CACHE + ((linear & (L.JUMP_CACHE_ENTRIES - 1)) << L.JUMP_CACHE_ENTRY_SHIFT);
}

export class JumpCache {
  readonly #state: State;
  /** Entries since the TLB was flushed of instructions that may lie in two pages. */
  readonly #crossings = new Set<number>();

  constructor(state: State) {
    this.#state = state;
  }

  /**
   * The record of a linear address in the present mode; 0 where there is none.
   * @param physical to which it has just been translated.
   */
  recordAt(linear: number, physical: number): number {
    const state = this.#state;
    const entry = entryOf(linear);
    const isKnown =
      state.get(entry + L.JUMP_CACHE_LINEAR) === linear &&
      state.get(entry + L.JUMP_CACHE_MODE) === state.get(L.MODE) &&
      state.get(entry + L.JUMP_CACHE_GENERATION) === state.get(L.CODE_GENERATION) &&
      state.get(entry + L.JUMP_CACHE_ADDEND) === addendOf(linear, physical);
    return isKnown ? state.get(entry + L.JUMP_CACHE_RECORD) : 0;
  }

  /** @param physical to which the linear address has just been translated. */
  enter(linear: number, physical: number, record: number): void {
    const state = this.#state;
    const entry = entryOf(linear);
    state.set(entry + L.JUMP_CACHE_LINEAR, linear);
    state.set(entry + L.JUMP_CACHE_MODE, state.get(L.MODE));
    state.set(entry + L.JUMP_CACHE_GENERATION, state.get(L.CODE_GENERATION));
    state.set(entry + L.JUMP_CACHE_ADDEND, addendOf(linear, physical));
    state.set(entry + L.JUMP_CACHE_RECORD, record);
    if ((linear & 0xfff) + MAX_INSTRUCTION_BYTES > 0x1000) this.#crossings.add(entry);
  }

  /** The TLB was flushed. It vouches for an instruction's first page alone. */
  forgetCrossings(): void {
    const state = this.#state;
    for (const entry of this.#crossings) {
      state.set(entry + L.JUMP_CACHE_GENERATION, state.get(L.CODE_GENERATION) - 1);
    }
    this.#crossings.clear();
  }

  /** Voids all entries. */
  clear(): void {
    const state = this.#state;
    state.set(L.CODE_GENERATION, state.get(L.CODE_GENERATION) + 1);
    this.#crossings.clear();
  }
}

function addendOf(linear: number, physical: number): number {
  return (L.RAM_BASE + physical - linear) | 0;
}

function field(local: number, offset: number): Bytes {
  return [...localGet(local), OP.i32Load, ...memarg(offset)];
}

/**
 * Emitted code that finds the entry of a linear address, and leaves on the stack what is not zero where the
 * entry does not hold.
 * @param linear local with the linear address.
 * @param entry local for the entry.
 * @param scratch local to be used.
 */
export function emitLookUp(linear: number, entry: number, scratch: number): Bytes {
  return [
    ...localGet(linear),
    ...constant(L.JUMP_CACHE_ENTRIES - 1),
    OP.i32And,
    ...constant(L.JUMP_CACHE_ENTRY_SHIFT),
    OP.i32Shl,
    ...constant(L.JUMP_CACHE),
    OP.i32Add,
    ...localSet(entry),
    ...tlbEntry(localGet(linear), loadWord(L.TLB_BASE)),
    ...localSet(scratch),
    ...field(entry, L.JUMP_CACHE_LINEAR),
    ...localGet(linear),
    OP.i32Xor,
    ...field(entry, L.JUMP_CACHE_MODE),
    ...loadWord(L.MODE),
    OP.i32Xor,
    OP.i32Or,
    ...field(entry, L.JUMP_CACHE_GENERATION),
    ...loadWord(L.CODE_GENERATION),
    OP.i32Xor,
    OP.i32Or,
    ...field(scratch, L.TLB_READ_TAG),
    ...localGet(linear),
    ...constant(~0xfff),
    OP.i32And,
    OP.i32Xor,
    OP.i32Or,
    ...field(entry, L.JUMP_CACHE_ADDEND),
    ...field(scratch, L.TLB_ADDEND),
    OP.i32Xor,
    OP.i32Or,
  ];
}
