/**
 * Locals of a region's function, and the state that they stand for. The parameter is the head record. Between
 * instructions a general register is in its local and nowhere else; state words are written before anything that may
 * look at them: a service that may throw, and the return.
 */
import { auxOfOrigin } from '../isa/flags.js';
import type { Size } from '../isa/ops.js';
import * as L from '../state-layout.js';
import { type Bytes, constant, localGet, localSet, OP, VOID } from '../wasm/encoder.js';
import {
  computed,
  constantExpression,
  type Expression,
  localExpression,
} from '../wasm/expression.js';
import { callService } from '../wasm/services.js';
import { loadWord, storeWord } from '../wasm/state-words.js';
import { WasmValues } from '../wasm/wasm-values.js';

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
/** How LOCAL_AUX is to be read: AUX_IS_WORD, or one of AUX_IS_RIGHT. */
export const LOCAL_AUX_KIND = 15;
const LOCAL_SCRATCH = 16;
export const FIRST_TEMPORARY = 17;

/** LOCAL_AUX is FLAG_AUX. */
export const AUX_IS_WORD = 0;
/** LOCAL_AUX is `right` of the flags' origin; FLAG_AUX follows from it and from LOCAL_RESULT. */
export const AUX_IS_RIGHT = { compare: 1, carry: 2 } as const;

/** Works out values with one more local. */
class ScratchValues extends WasmValues {
  code: Bytes = [];

  let(value: Expression): Expression {
    this.code = [...value.code, ...localSet(LOCAL_SCRATCH)];
    return localExpression(LOCAL_SCRATCH);
  }
}

function workOut(kind: keyof typeof AUX_IS_RIGHT): Bytes {
  const values = new ScratchValues();
  const [result, right] = [localExpression(LOCAL_RESULT), localExpression(LOCAL_AUX)];
  const aux = auxOfOrigin(values, kind, result, right);
  return [...values.code, ...aux.code, ...localSet(LOCAL_AUX)];
}

/** Makes LOCAL_AUX what FLAG_AUX is. */
export const WORK_OUT_AUX: Bytes = [
  ...localGet(LOCAL_AUX_KIND),
  OP.if,
  VOID,
  ...localGet(LOCAL_AUX_KIND),
  ...constant(AUX_IS_RIGHT.compare),
  OP.i32Eq,
  OP.if,
  VOID,
  ...workOut('compare'),
  OP.else,
  ...workOut('carry'),
  OP.end,
  ...constant(AUX_IS_WORD),
  ...localSet(LOCAL_AUX_KIND),
  OP.end,
];

/** The state words in locals, by the local. */
const WORDS_IN_LOCALS: readonly [offset: number, local: number][] = [
  ...Array.from({ length: 8 }, (_, i): [number, number] => [i * 4, LOCAL_REGISTERS + i]),
  [L.FLAG_RESULT, LOCAL_RESULT],
  [L.FLAG_AUX, LOCAL_AUX],
  [L.TLB_BASE, LOCAL_TLB],
];

/** Loads the locals that have the processor's state; LOCAL_AUX_KIND must be AUX_IS_WORD. */
export const TAKE_OVER: Bytes = WORDS_IN_LOCALS.flatMap(([offset, local]) => [
  ...loadWord(offset),
  ...localSet(local),
]);

/**
 * Writes the words of the state that are in locals, EIP as given. It is no function, though it stands in several
 * places: a call takes longer than what it would do.
 */
export function handBackAt(eip: Bytes): Bytes {
  const words = WORDS_IN_LOCALS.filter(([offset]) => offset !== L.TLB_BASE);
  return [
    WORK_OUT_AUX,
    ...words.map(([offset, local]) => storeWord(offset, localGet(local))),
    storeWord(L.EIP, eip),
    storeWord(L.BUDGET, localGet(LOCAL_LEFT)),
  ];
}

/** Has a procedure performed at EIP, with all of the state in its words, and takes over what it leaves. */
export function performAt(eip: Bytes, procedure: number): Bytes {
  return [
    handBackAt(eip),
    constant(procedure),
    callService('perform'),
    TAKE_OVER,
    // Something may have to be looked at before the next instruction: then the budget is gone.
    loadWord(L.BUDGET),
    localSet(LOCAL_LEFT),
  ];
}

/** A register's value, or a part of it, straight from its local. */
export function registerValue(offset: number, size: Size): Expression {
  const whole = localExpression(LOCAL_REGISTERS + (offset >> 2));
  const shift = (offset & 3) * 8;
  if (size === 4) return whole;
  const mask = constantExpression(size === 2 ? 0xffff : 0xff);
  const code = shift === 0 ? whole.code : [whole.code, ...constant(shift), OP.i32ShrU];
  return computed([code, mask.code, OP.i32And]);
}

/** A local that instructions change: a copy is needed to keep its value. */
export function isRegisterLocal(value: Expression): boolean {
  return value.local !== undefined && value.local <= LOCAL_AUX;
}
