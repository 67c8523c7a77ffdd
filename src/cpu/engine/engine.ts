/**
 * Executes instructions: decoded code, the handlers that it calls, and the loop that calls them.
 */
import type { Core } from '../core.js';
import type { Decoded } from '../decoder/decode.js';
import { ESP_GUARD } from '../state-layout.js';
import { PLACE_BEHIND_SERVICES, SERVICE_NAMES, servicePlace } from '../wasm/services.js';
import { CodeCache } from './code-cache.js';
import { FunctionTable } from './function-table.js';
import { Handlers } from './handlers.js';
import { HotCode } from './hot-code.js';
import { HANDLER_COUNT, HANDLER_END, HANDLER_PROCEDURE } from './record.js';
import { encodeRunLoop } from './run-loop.js';
import { slowPath } from './slow-path.js';

/** `run` of the run loop's module. */
type RunFunction = (record: number) => number;

/** auto: what is hot is compiled. interpreter: nothing is. jit: all that can be is, when it is first entered. */
export type EngineKind = 'auto' | 'interpreter' | 'jit';
export const ENGINES: readonly EngineKind[] = ['auto', 'interpreter', 'jit'];

export class Engine {
  readonly #core: Core;
  readonly #code: CodeCache;
  readonly #run: RunFunction;

  /**
   * @param memoryPages of 64 KiB that the core's memory has.
   * @param hotEntries of `auto`: after which a block is compiled.
   */
  constructor(core: Core, memoryPages: number, kind: EngineKind, hotEntries: number) {
    this.#core = core;
    const functions = new FunctionTable(PLACE_BEHIND_SERVICES);
    const { table } = functions;
    const host = {
      memory: core.state.memory,
      table,
      ...slowPath(core),
      procedure: (record: number) => this.#perform(this.#code.procedureAt(record)),
      perform: (number: number) => this.#perform(this.#code.procedureOf(number)),
      hot: (record: number) => this.#code.compile(record),
      single: () => this.#code.singleAtEip(),
    };
    const module = new WebAssembly.Module(encodeRunLoop(memoryPages));
    const { exports } = new WebAssembly.Instance(module, { env: host });
    table.set(HANDLER_END, exports['handleEnd']);
    table.set(HANDLER_PROCEDURE, exports['handleProcedure']);
    table.set(HANDLER_COUNT, exports['handleCount']);
    this.#run = exports['run'];
    const services = new WebAssembly.Table({ element: 'anyfunc', initial: PLACE_BEHIND_SERVICES });
    for (const name of SERVICE_NAMES) {
      table.set(servicePlace(name), exports[name]);
      services.set(servicePlace(name), exports[name]);
    }
    const { memory } = core.state;
    const hotCode =
      kind === 'interpreter'
        ? null
        : new HotCode(
            core,
            functions,
            { memory, table: services },
            memoryPages,
            kind === 'jit' ? 1 : hotEntries,
          );
    this.#code = new CodeCache(
      core,
      new Handlers(functions, { memory, table }, memoryPages),
      hotCode,
    );
  }

  get breakpoints(): ReadonlySet<number> {
    return this.#code.breakpoints;
  }
  set breakpoints(breakpoints: ReadonlySet<number>) {
    this.#code.breakpoints = breakpoints;
  }

  /** Drops all decoded and compiled code. */
  clear(): void {
    this.#code.clear();
  }

  /**
   * The record of the instruction at EIP, for `run`.
   * @throws fault what its fetch raises.
   */
  recordAtEip(): number {
    return this.#code.recordAtEip();
  }

  /**
   * Executes from a record on until the budget is used up, or until code is met that is not decoded
   * yet.
   * @throws fault of the instruction at EIP, which has used one of the budget.
   */
  run(record: number): void {
    this.#run(record);
  }

  /** The opcode of a record that stands for a procedure; -1 of others. */
  opcodeOf(record: number): number {
    return this.#code.procedureAt(record)?.instruction.opcode ?? -1;
  }

  #perform(decoded: Decoded | undefined): void {
    if (decoded === undefined) throw new Error('there is no such procedure');
    const core = this.#core;
    const { encoding, instruction } = decoded;
    encoding.procedure?.(core, instruction);
    if (!encoding.isTransfer) core.state.eip += instruction.length;
    core.state.set(ESP_GUARD, 0);
  }
}
