/**
 * The interpreter's inner loop, in WebAssembly: call the record's handler, go on with the record that
 * it returns, and look EIP up in the jump cache where it returns none; until the budget is used up or
 * the jump cache doesn't know.
 */
import * as L from '../state-layout.js';
import {
  type Bytes,
  constant,
  encodeModule,
  type FunctionBody,
  type FunctionImport,
  I32,
  localGet,
  memarg,
  OP,
  VOID,
} from '../wasm/encoder.js';
import {
  CALL_TYPES,
  callService,
  HANDLER_TYPE,
  HANDLER_TYPE_INDEX,
  SERVICE_NAMES,
  serviceType,
} from '../wasm/services.js';
import { loadWord, storeWord } from '../wasm/state-words.js';
import { emitLookUp } from './jump-cache.js';
import { RECORD_COUNTER, RECORD_HANDLER } from './record.js';

/** Why the loop ended. */
export const ENDED_BY_BUDGET = 0;
export const ENDED_BY_MISS = 1;

const CS_BASE = L.SEGMENTS + L.SEG_CS * L.SEGMENT_BYTES + L.SEGMENT_BASE;

// Locals: 0 the record, 1 EIP as a linear address, 2 the jump cache's entry, 3 the budget, or whatever.
const RECORD = 0;
const LINEAR = 1;
const ENTRY = 2;
const LEFT = 3;

/** Sets the record from the jump cache, or leaves the function with ENDED_BY_MISS. */
const LOOK_UP: Bytes = [
  ...loadWord(L.EIP),
  ...loadWord(CS_BASE),
  OP.i32Add,
  OP.localSet,
  LINEAR,
  ...emitLookUp(LINEAR, ENTRY, LEFT),
  OP.if,
  VOID,
  ...constant(ENDED_BY_MISS),
  OP.return,
  OP.end,
  ...localGet(ENTRY),
  OP.i32Load,
  ...memarg(L.JUMP_CACHE_RECORD),
  OP.localSet,
  RECORD,
];

/** (record to start with) → ENDED_BY_*. */
const RUN: FunctionBody = {
  name: 'run',
  type: HANDLER_TYPE,
  locals: [I32, I32, I32],
  code: [
    OP.loop,
    VOID,
    // No record: look EIP up.
    ...localGet(RECORD),
    OP.i32Eqz,
    OP.if,
    VOID,
    ...LOOK_UP,
    OP.end,
    ...loadWord(L.BUDGET),
    OP.localTee,
    LEFT,
    OP.i32Eqz,
    OP.if,
    VOID,
    ...constant(ENDED_BY_BUDGET),
    OP.return,
    OP.end,
    ...storeWord(L.BUDGET, [...localGet(LEFT), ...constant(1), OP.i32Sub]),
    ...localGet(RECORD),
    ...localGet(RECORD),
    OP.i32Load,
    ...memarg(RECORD_HANDLER),
    OP.callIndirect,
    HANDLER_TYPE_INDEX,
    0,
    OP.localSet,
    RECORD,
    OP.br,
    0,
    OP.end,
    OP.unreachable,
  ],
};

/** Handler of every instruction that is a procedure. */
const PROCEDURE: FunctionBody = {
  name: 'handleProcedure',
  type: HANDLER_TYPE,
  locals: [],
  code: [...localGet(RECORD), ...callService('procedure'), ...constant(0)],
};

/** The budget gets its step back, of a record that is no instruction's. */
const GIVE_BACK: Bytes = [
  ...storeWord(L.BUDGET, [...loadWord(L.BUDGET), ...constant(1), OP.i32Add]),
];

/** Handler of the record behind a block's last, for handlers that go on to it. */
const BLOCK_END: FunctionBody = {
  name: 'handleEnd',
  type: HANDLER_TYPE,
  locals: [],
  code: [...GIVE_BACK, ...constant(0)],
};

/** The index of the host's `hot`, behind what services call. */
const HOT_IMPORT = SERVICE_NAMES.length;

/** Handler of head records. */
const COUNT: FunctionBody = {
  name: 'handleCount',
  type: HANDLER_TYPE,
  locals: [I32],
  code: [
    ...GIVE_BACK,
    ...localGet(RECORD),
    ...localGet(RECORD),
    OP.i32Load,
    ...memarg(RECORD_COUNTER),
    ...constant(1),
    OP.i32Sub,
    OP.localTee,
    1,
    OP.i32Store,
    ...memarg(RECORD_COUNTER),
    ...localGet(1),
    OP.i32Eqz,
    OP.if,
    VOID,
    ...localGet(RECORD),
    OP.call,
    HOT_IMPORT,
    OP.end,
    ...localGet(RECORD),
    ...constant(L.RECORD_BYTES),
    OP.i32Add,
  ],
};

/** Services are the host's: in the table are functions that call them. */
const RELAYS: readonly FunctionBody[] = SERVICE_NAMES.map((name, index) => {
  const type = serviceType(name);
  return {
    name,
    type,
    locals: [],
    code: [...type.parameters.flatMap((_, i) => localGet(i)), OP.call, index],
  };
});

const HOST_IMPORTS: readonly FunctionImport[] = [
  ...SERVICE_NAMES.map((name) => ({ name, type: serviceType(name) })),
  // (head record): its block was entered often enough to be compiled
  { name: 'hot', type: { parameters: [I32], results: [] } },
];

/**
 * The module with `run`, the handlers of records that are no instruction's, and the services. It imports the table,
 * and from the host what the services do, and `hot`.
 */
export function encodeRunLoop(memoryPages: number): Uint8Array<ArrayBuffer> {
  return encodeModule({ functions: HOST_IMPORTS, memoryPages, table: true, types: CALL_TYPES }, [
    RUN,
    PROCEDURE,
    COUNT,
    BLOCK_END,
    ...RELAYS,
  ]);
}
