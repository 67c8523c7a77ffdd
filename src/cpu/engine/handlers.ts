/**
 * The interpreter's handlers: one WebAssembly function a form, made when the form is first met. Forms
 * met together (the new ones of a block) share a module, since a module costs more than a function.
 */
import type { Encoding } from '../isa/encoding.js';
import type { Form } from '../isa/form.js';
import { BUDGET, RECORD_BYTES } from '../state-layout.js';
import { type Bytes, constant, encodeModule, memarg, OP, VOID } from '../wasm/encoder.js';
import { RecordBinding } from '../wasm/record-binding.js';
import { CALL_TYPES, HANDLER_TYPE, HANDLER_TYPE_INDEX } from '../wasm/services.js';
import { loadWord, storeWord } from '../wasm/state-words.js';
import { WasmOps } from '../wasm/wasm-ops.js';
import type { FunctionTable } from './function-table.js';
import { HANDLER_PROCEDURE, RECORD_HANDLER } from './record.js';

/**
 * Takes the next record's step out of the budget and calls its handler in the place of this one, or returns
 * the record where nothing is left.
 */
const GO_ON: Bytes = [
  OP.localGet,
  0,
  ...constant(RECORD_BYTES),
  OP.i32Add,
  OP.localSet,
  0,
  ...loadWord(BUDGET),
  OP.i32Eqz,
  OP.if,
  VOID,
  OP.localGet,
  0,
  OP.return,
  OP.end,
  ...storeWord(BUDGET, [...loadWord(BUDGET), ...constant(1), OP.i32Sub]),
  OP.localGet,
  0,
  OP.localGet,
  0,
  OP.i32Load,
  ...memarg(RECORD_HANDLER),
  OP.returnCallIndirect,
  HANDLER_TYPE_INDEX,
  0,
];

/** Handler indices by form, and the functions behind them in the table. */
export class Handlers {
  readonly #functions: FunctionTable;
  readonly #imports: WebAssembly.ModuleImports;
  readonly #memoryPages: number;
  /** Handler index by encoding and by the variable part of the form. */
  readonly #indices = new Map<Encoding, Int32Array>();
  readonly #pending: { index: number; form: Form }[] = [];

  /** @param imports `memory` and `table`, in which the services are. */
  constructor(functions: FunctionTable, imports: WebAssembly.ModuleImports, memoryPages: number) {
    this.#functions = functions;
    this.#imports = imports;
    this.#memoryPages = memoryPages;
  }

  /** The index of the form's handler. It may be called after the next `compile`. */
  indexOf(form: Form): number {
    const { semantics, shortcut } = form.encoding;
    if (semantics === null && shortcut === null) return HANDLER_PROCEDURE;
    let indices = this.#indices.get(form.encoding);
    if (indices === undefined) {
      indices = new Int32Array(VARIANTS);
      this.#indices.set(form.encoding, indices);
    }
    const variant = variantOf(form);
    if (indices[variant] === 0) {
      const index = this.#functions.reserve();
      indices[variant] = index;
      this.#pending.push({ index, form });
    }
    return indices[variant];
  }

  /** Makes the handlers that `indexOf` has promised since the last call. */
  compile(): void {
    if (this.#pending.length === 0) return;
    const bodies = this.#pending.map(({ index, form }) => {
      const ops = new WasmOps(new RecordBinding(form));
      const { semantics, shortcut } = form.encoding;
      (semantics ?? shortcut)?.(ops);
      const code = semantics === null ? ops.finishByProcedure() : ops.finish(GO_ON);
      return { name: `h${index}`, type: HANDLER_TYPE, locals: ops.locals, code };
    });
    const bytes = encodeModule(
      {
        functions: [],
        memoryPages: this.#memoryPages,
        table: true,
        types: CALL_TYPES,
      },
      bodies,
    );
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: this.#imports,
    });
    for (const { index } of this.#pending) {
      this.#functions.table.set(index, instance.exports[`h${index}`]);
    }
    this.#pending.length = 0;
  }
}

const REPS = 3;
const ADDRESSES = 3;
const VARIANTS = 2 * 2 * 2 * REPS * ADDRESSES;

/** A number below VARIANTS for everything in a form but its encoding. */
function variantOf(form: Form): number {
  const address = form.address === 'none' ? 0 : form.address === 'base' ? 1 : 2;
  const rep = form.rep === 0 ? 0 : form.rep === 0xf2 ? 1 : 2;
  const sizes =
    (form.operandSize === 4 ? 1 : 0) | (form.addressSize === 4 ? 2 : 0) | (form.stack32 ? 4 : 0);
  return (sizes * REPS + rep) * ADDRESSES + address;
}
