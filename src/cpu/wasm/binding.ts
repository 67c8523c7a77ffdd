/**
 * Where an instruction's operands come from: this is all in which an interpreter's handler and a
 * compiled block differ. A handler finds them in the decoded record that it is given; in a block they
 * are constants.
 */
import type { Form } from '../isa/form.js';
import type { Expression } from './expression.js';

export interface Binding {
  readonly form: Form;
  /** The state offset of operand k, a register. */
  registerAddress(k: number): Expression;
  immediate(): Expression;
  /** State offsets of the effective address's registers; null where the form has none. */
  base(): Expression | null;
  index(): Expression | null;
  scale(): Expression;
  displacement(): Expression;
  /** State offset of the memory operand's segment register. */
  segment(): Expression;
  /** The instruction's length in bytes. */
  length(): Expression;
  /** What the function returns to go on with this instruction. */
  again(): Expression;
}
