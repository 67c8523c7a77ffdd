/**
 * A block compiled: the same semantics that make the handlers, with operands as constants, one
 * function for a run of instructions. A jump leaves the function; so does the end of the block.
 */
import type { Core } from '../../../src/cpu/core.js';
import type { Decoded } from '../../../src/cpu/decoder/decode.js';
import { formOf } from '../../../src/cpu/isa/form.js';
import { InstructionBinding } from '../../../src/cpu/jit/instruction-binding.js';
import { constant, encodeModule, I32, OP, VOID } from '../../../src/cpu/wasm/encoder.js';
import { FUNCTION_IMPORTS } from '../../../src/cpu/wasm/imports.js';
import { WasmOps } from '../../../src/cpu/wasm/wasm-ops.js';

/**
 * Compiles instructions that lie one behind the other into functions, one an instruction, and one that
 * runs them in turn until one jumps.
 * @returns a function that executes the block once.
 */
export function compileBlock(
  core: Core,
  memoryPages: number,
  imports: WebAssembly.ModuleImports,
  instructions: readonly Decoded[],
): () => void {
  const type = { parameters: [I32], results: [I32] };
  const bodies = instructions.map((decoded, i) => {
    const ops = new WasmOps(
      new InstructionBinding(formOf(decoded.encoding, decoded.instruction, true), decoded),
    );
    decoded.encoding.semantics?.(ops);
    const code = ops.finish([...constant(1), OP.return]);
    return { name: `i${i}`, type, locals: ops.locals, code };
  });
  const first = FUNCTION_IMPORTS.length;
  const calls = bodies.flatMap((_, i) => [
    OP.i32Const,
    0,
    OP.call,
    first + i,
    OP.i32Eqz,
    OP.brIf,
    0,
  ]);
  const bytes = encodeModule(
    { functions: FUNCTION_IMPORTS, memoryPages, table: false, types: [] },
    [
      ...bodies,
      {
        name: 'block',
        type,
        locals: [],
        code: [OP.block, VOID, ...calls, OP.end, OP.i32Const, 0],
      },
    ],
  );
  const module = new WebAssembly.Module(bytes);
  const instance = new WebAssembly.Instance(module, {
    env: { memory: core.state.memory, ...imports },
  });
  return () => void instance.exports['block'](0);
}
