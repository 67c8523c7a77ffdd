/** A WebAssembly expression that leaves one i32 on the stack. */
import { type Bytes, constant, localGet } from './encoder.js';

/** A value as so much more than another, its root, that is known by a number alone. */
export interface Relative {
  readonly root: number;
  readonly offset: number;
}

export interface Expression {
  readonly code: Bytes;
  /** Evaluating it again costs nothing and gives the same: a constant or a bound local. */
  readonly isBound: boolean;
  /** Its value, where it is a constant. */
  readonly constant: number | undefined;
  /** Its index, where it is a local. */
  readonly local: number | undefined;
  /** What it is to others, where someone keeps account of that. */
  readonly relative: Relative | undefined;
}

/** All expressions are made here: V8 is several times as fast with objects that have one shape. */
function expression(
  code: Bytes,
  isBound: boolean,
  value: number | undefined,
  local: number | undefined,
  relative: Relative | undefined,
): Expression {
  return { code, isBound, constant: value, local, relative };
}

export function constantExpression(value: number): Expression {
  return expression(constant(value), true, value, undefined, undefined);
}

const LOCALS: Expression[] = [];

export function localExpression(index: number): Expression {
  return (LOCALS[index] ??= expression(localGet(index), true, undefined, index, undefined));
}

/** What code leaves on the stack. */
export function computed(code: Bytes): Expression {
  return expression(code, false, undefined, undefined, undefined);
}

/** The same value, with what is known of it. */
export function related(value: Expression, relative: Relative | undefined): Expression {
  return expression(value.code, value.isBound, value.constant, value.local, relative);
}

export function unary(opcode: number, a: Expression): Expression {
  return computed([a.code, opcode]);
}

export function binary(opcode: number, a: Expression, b: Expression): Expression {
  return computed([a.code, b.code, opcode]);
}
