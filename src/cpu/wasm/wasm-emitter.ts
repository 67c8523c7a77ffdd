/**
 * The part of the abstract machine that emits: statements in order, values bound to locals, branches.
 */
import type { Size } from '../isa/ops.js';
import { type Bytes, I32, I64, localGet, localSet, OP, type Piece, VOID } from './encoder.js';
import { computed, constantExpression, type Expression, localExpression } from './expression.js';
import { callService, type ServiceName } from './services.js';
import { WasmValues } from './wasm-values.js';

export abstract class WasmEmitter extends WasmValues {
  /** Types of the locals behind the one parameter. */
  readonly locals: number[] = [];
  protected code: Piece[] = [];

  /** Abandons the instruction with an exception that has no error code. */
  abstract raise(vector: number): void;

  divide(
    high: Expression,
    low: Expression,
    divisor: Expression,
    isSigned: boolean,
    quotientSize: Size,
  ): { quotient: Expression; remainder: Expression } {
    const d = this.let(divisor);
    this.branch(this.eqz(d), () => this.raise(0));
    if (isSigned) {
      // The one quotient that 64 bits cannot hold, on which i64.div_s itself would trap.
      const isMinimum = this.and(this.eqz(low), this.eq(high, constantExpression(1 << 31)));
      this.branch(this.and(isMinimum, this.eq(d, constantExpression(-1))), () => this.raise(0));
    }
    const wide = isSigned ? OP.i64ExtendI32S : OP.i64ExtendI32U;
    const dividend = this.let64([
      high.code,
      OP.i64ExtendI32U,
      OP.i64Const,
      32,
      OP.i64Shl,
      low.code,
      OP.i64ExtendI32U,
      OP.i64Or,
    ]);
    const wideDivisor = this.let64([d.code, wide]);
    const operands = [dividend, wideDivisor];
    const quotient64 = this.let64([operands, isSigned ? OP.i64DivS : OP.i64DivU]);
    const quotient = this.let(computed([quotient64, OP.i32WrapI64]));
    const fitting = isSigned
      ? this.signExtend(quotient, quotientSize)
      : this.truncate(quotient, quotientSize);
    const misfit = computed([quotient64, fitting.code, wide, OP.i64Ne]);
    this.branch(misfit, () => this.raise(0));
    const remainder = this.let(
      computed([operands, isSigned ? OP.i64RemS : OP.i64RemU, OP.i32WrapI64]),
    );
    return { quotient, remainder };
  }

  let(value: Expression): Expression {
    if (value.isBound) return value;
    const local = this.newLocal(I32);
    this.code.push(value.code, localSet(local));
    return localExpression(local);
  }

  protected branch(condition: Expression, then: () => void, otherwise?: () => void): void {
    this.code.push(condition.code, OP.if, VOID, this.nested(then));
    if (otherwise !== undefined) this.code.push(OP.else, this.nested(otherwise));
    this.code.push(OP.end);
  }

  protected chooseValue(
    condition: Expression,
    then: () => Expression,
    otherwise: () => Expression,
  ): Expression {
    const arm = (branch: () => Expression): Bytes =>
      this.nested(() => {
        this.code.push(branch().code);
      });
    this.code.push(condition.code, OP.if, I32, arm(then), OP.else, arm(otherwise), OP.end);
    const local = this.newLocal(I32);
    this.code.push(localSet(local));
    return localExpression(local);
  }

  protected let64(code: Bytes): Bytes {
    const local = this.newLocal(I64);
    this.code.push(code, localSet(local));
    return localGet(local);
  }

  protected callService(name: ServiceName, ...arguments_: Expression[]): Expression {
    const values = arguments_.map((argument) => argument.code);
    return computed([...values, callService(name)]);
  }

  protected newLocal(type: number): number {
    return this.locals.push(type);
  }

  /** The code that `emit` emits. */
  protected nested(emit: () => void): Bytes {
    const outer = this.code;
    this.code = [];
    emit();
    const inner = this.code;
    this.code = outer;
    return inner;
  }
}
