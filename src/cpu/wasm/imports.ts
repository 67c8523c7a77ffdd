/** The functions that emitted code calls, by index. One list: encoder, instance and code agree by it. */
import { type FunctionImport, I32 } from './encoder.js';

function imported(name: string, parameters: number, hasResult: boolean): FunctionImport {
  return {
    name,
    type: { parameters: new Array<number>(parameters).fill(I32), results: hasResult ? [I32] : [] },
  };
}

/** In index order. */
export const FUNCTION_IMPORTS: readonly FunctionImport[] = [
  // (segment's state offset, offset, size) → value
  imported('load', 3, true),
  // (segment's state offset, offset, size, value)
  imported('store', 4, false),
  // (segment's state offset, offset, size) → value, having checked the write
  imported('modify', 3, true),
  // (vector): throws
  imported('raise', 1, false),
  // (record): runs the instruction's procedure and moves EIP
  imported('procedure', 1, false),
  // (head record): its block was entered often enough to be compiled
  imported('hot', 1, false),
  // (BULK_*, source segment's state offset, size): iterations of a REP ahead
  imported('bulk', 3, false),
  // () → record of the instruction at EIP alone
  imported('single', 0, true),
];

/** Function indices of the imports. */
export const IMPORT = {
  load: 0,
  store: 1,
  modify: 2,
  raise: 3,
  procedure: 4,
  hot: 5,
  bulk: 6,
  single: 7,
} as const;
