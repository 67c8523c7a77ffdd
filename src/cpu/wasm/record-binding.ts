/** Operands out of the decoded record that a handler is given: the binding that makes an interpreter. */
import {
  RECORD_BASE,
  RECORD_DISPLACEMENT,
  RECORD_IMMEDIATE,
  RECORD_INDEX,
  RECORD_LENGTH,
  RECORD_REGISTER,
  RECORD_SCALE,
  RECORD_SEGMENT,
} from '../engine/record.js';
import type { Form } from '../isa/form.js';
import type { Binding } from './binding.js';
import { memarg, OP } from './encoder.js';
import { computed, type Expression, localExpression } from './expression.js';

/** The handler's one parameter. */
const RECORD = localExpression(0);

function field(opcode: number, offset: number): Expression {
  return computed([...RECORD.code, opcode, ...memarg(offset)]);
}

export class RecordBinding implements Binding {
  readonly form: Form;

  constructor(form: Form) {
    this.form = form;
  }

  registerAddress(k: number): Expression {
    const { place } = this.form.encoding.operands[k];
    return field(OP.i32Load, place === 'reg' ? RECORD_REGISTER : RECORD_BASE);
  }
  immediate(): Expression {
    return field(OP.i32Load, RECORD_IMMEDIATE);
  }
  base(): Expression | null {
    return this.form.address === 'none' ? null : field(OP.i32Load, RECORD_BASE);
  }
  index(): Expression | null {
    return this.form.address === 'indexed' ? field(OP.i32Load, RECORD_INDEX) : null;
  }
  scale(): Expression {
    return field(OP.i32Load8U, RECORD_SCALE);
  }
  displacement(): Expression {
    return field(OP.i32Load, RECORD_DISPLACEMENT);
  }
  segment(): Expression {
    return field(OP.i32Load16U, RECORD_SEGMENT);
  }
  length(): Expression {
    return field(OP.i32Load8U, RECORD_LENGTH);
  }
  again(): Expression {
    return RECORD;
  }
}
