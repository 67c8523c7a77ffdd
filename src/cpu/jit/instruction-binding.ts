/** Operands of one decoded instruction as constants. */
import type { Decoded } from '../decoder/decode.js';
import { registerOffset } from '../engine/record.js';
import type { Form } from '../isa/form.js';
import { sizeOfWidth } from '../isa/form.js';
import { SEGMENT_BYTES, SEGMENTS, ZERO } from '../state-layout.js';
import type { Binding } from '../wasm/binding.js';
import { constantExpression, type Expression } from '../wasm/expression.js';

/** What a compiled instruction returns where it goes on itself. */
const AGAIN = 2;

export class InstructionBinding implements Binding {
  readonly form: Form;
  readonly #decoded: Decoded;

  constructor(form: Form, decoded: Decoded) {
    this.form = form;
    this.#decoded = decoded;
  }

  registerAddress(k: number): Expression {
    const { encoding, instruction } = this.#decoded;
    const { place, width } = encoding.operands[k];
    const size = sizeOfWidth(width, instruction.operandSize);
    const index = place === 'reg' ? instruction.reg : instruction.rm;
    return constantExpression(registerOffset(index, size));
  }
  immediate(): Expression {
    return constantExpression(this.#decoded.instruction.immediate);
  }
  base(): Expression | null {
    const { base } = this.#decoded.instruction;
    return base === ZERO ? null : constantExpression(base);
  }
  index(): Expression | null {
    const { index } = this.#decoded.instruction;
    return index === ZERO ? null : constantExpression(index);
  }
  scale(): Expression {
    return constantExpression(this.#decoded.instruction.scale);
  }
  displacement(): Expression {
    return constantExpression(this.#decoded.instruction.displacement);
  }
  segment(): Expression {
    return constantExpression(SEGMENTS + this.#decoded.instruction.segment * SEGMENT_BYTES);
  }
  length(): Expression {
    return constantExpression(this.#decoded.instruction.length);
  }
  again(): Expression {
    return constantExpression(AGAIN);
  }
}
