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
  readonly constant?: number;
  /** Its index, where it is a local. */
  readonly local?: number;
  /** What it is to others, where someone keeps account of that. */
  readonly relative?: Relative | undefined;
}

export function constantExpression(value: number): Expression {
  return { code: constant(value), isBound: true, constant: value };
}

const LOCALS: Expression[] = [];

export function localExpression(index: number): Expression {
  return (LOCALS[index] ??= { code: localGet(index), isBound: true, local: index });
}

export function unary(opcode: number, a: Expression): Expression {
  return { code: [a.code, opcode], isBound: false };
}

export function binary(opcode: number, a: Expression, b: Expression): Expression {
  return { code: [a.code, b.code, opcode], isBound: false };
}
