/** The part of the abstract machine that has no effects: expressions out of expressions. */
import type { Size } from '../isa/ops.js';
import { OP } from './encoder.js';
import { binary, computed, constantExpression, type Expression, unary } from './expression.js';

export class WasmValues {
  constant(value: number): Expression {
    return constantExpression(value);
  }
  add(a: Expression, b: Expression): Expression {
    return binary(OP.i32Add, a, b);
  }
  sub(a: Expression, b: Expression): Expression {
    return binary(OP.i32Sub, a, b);
  }
  mul(a: Expression, b: Expression): Expression {
    return binary(OP.i32Mul, a, b);
  }
  mulHighU(a: Expression, b: Expression): Expression {
    return this.mulHigh(a, b, OP.i64ExtendI32U);
  }
  mulHighS(a: Expression, b: Expression): Expression {
    return this.mulHigh(a, b, OP.i64ExtendI32S);
  }
  remU(a: Expression, b: Expression): Expression {
    return binary(OP.i32RemU, a, b);
  }
  and(a: Expression, b: Expression): Expression {
    return binary(OP.i32And, a, b);
  }
  or(a: Expression, b: Expression): Expression {
    return binary(OP.i32Or, a, b);
  }
  xor(a: Expression, b: Expression): Expression {
    return binary(OP.i32Xor, a, b);
  }
  not(a: Expression): Expression {
    return binary(OP.i32Xor, a, constantExpression(-1));
  }
  shl(a: Expression, count: Expression): Expression {
    return binary(OP.i32Shl, a, count);
  }
  shrU(a: Expression, count: Expression): Expression {
    return binary(OP.i32ShrU, a, count);
  }
  shrS(a: Expression, count: Expression): Expression {
    return binary(OP.i32ShrS, a, count);
  }
  rotl(a: Expression, count: Expression): Expression {
    return binary(OP.i32Rotl, a, count);
  }
  rotr(a: Expression, count: Expression): Expression {
    return binary(OP.i32Rotr, a, count);
  }
  clz(a: Expression): Expression {
    return unary(OP.i32Clz, a);
  }
  ctz(a: Expression): Expression {
    return unary(OP.i32Ctz, a);
  }
  popcnt(a: Expression): Expression {
    return unary(OP.i32Popcnt, a);
  }
  eqz(a: Expression): Expression {
    return unary(OP.i32Eqz, a);
  }
  eq(a: Expression, b: Expression): Expression {
    return binary(OP.i32Eq, a, b);
  }
  ne(a: Expression, b: Expression): Expression {
    return binary(OP.i32Ne, a, b);
  }
  ltU(a: Expression, b: Expression): Expression {
    return binary(OP.i32LtU, a, b);
  }
  ltS(a: Expression, b: Expression): Expression {
    return binary(OP.i32LtS, a, b);
  }
  gtU(a: Expression, b: Expression): Expression {
    return binary(OP.i32GtU, a, b);
  }
  geS(a: Expression, b: Expression): Expression {
    return binary(OP.i32GeS, a, b);
  }
  select(condition: Expression, a: Expression, b: Expression): Expression {
    return computed([a.code, b.code, condition.code, OP.select]);
  }
  signExtend(a: Expression, size: Size): Expression {
    if (size === 4) return a;
    return unary(size === 1 ? OP.i32Extend8S : OP.i32Extend16S, a);
  }
  truncate(a: Expression, size: Size): Expression {
    if (size === 4) return a;
    return this.and(a, constantExpression(size === 1 ? 0xff : 0xffff));
  }

  protected mulHigh(a: Expression, b: Expression, extend: number): Expression {
    const code = [
      a.code,
      extend,
      b.code,
      extend,
      OP.i64Mul,
      OP.i64Const,
      32,
      OP.i64ShrU,
      OP.i32WrapI64,
    ];
    return computed(code);
  }
}
