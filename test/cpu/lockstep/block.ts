/** One instruction compiled: the same semantics that makes its handler, with operands as constants. */
import type { Core } from '../../../src/cpu/core.js';
import type { Decoded } from '../../../src/cpu/decoder/decode.js';
import { formOf } from '../../../src/cpu/isa/form.js';
import { InstructionBinding } from '../../../src/cpu/jit/instruction-binding.js';
import { constant, encodeModule, type FunctionBody, OP } from '../../../src/cpu/wasm/encoder.js';
import {
  CALL_TYPES,
  HANDLER_TYPE,
  PLACE_BEHIND_SERVICES,
  SERVICE_NAMES,
  servicePlace,
  serviceType,
} from '../../../src/cpu/wasm/services.js';
import { WasmOps } from '../../../src/cpu/wasm/wasm-ops.js';

/**
 * Compiles an instruction that has a semantics.
 * @param imports the services that it may call, by name.
 * @returns a function that executes it once; it throws what the services throw.
 */
export function compileBlock(
  core: Core,
  memoryPages: number,
  imports: WebAssembly.ModuleImports,
  decoded: Decoded,
): () => void {
  const form = formOf(decoded.encoding, decoded.instruction, true);
  const ops = new WasmOps(new InstructionBinding(form, decoded));
  decoded.encoding.semantics?.(ops);
  const code = ops.finish([...constant(1), OP.return]);
  const names = SERVICE_NAMES.filter((name) => name in imports);
  const relays = names.map((name, index): FunctionBody => {
    const type = serviceType(name);
    const arguments_ = type.parameters.flatMap((_, i) => [OP.localGet, i]);
    return { name, type, locals: [], code: [...arguments_, OP.call, index] };
  });
  const functions = names.map((name) => ({ name, type: serviceType(name) }));
  const bytes = encodeModule({ functions, memoryPages, table: true, types: CALL_TYPES }, [
    { name: 'block', type: HANDLER_TYPE, locals: ops.locals, code },
    ...relays,
  ]);
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: PLACE_BEHIND_SERVICES });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory: core.state.memory, table, ...imports },
  });
  for (const name of names) table.set(servicePlace(name), exports[name]);
  return () => void exports['block'](0);
}
